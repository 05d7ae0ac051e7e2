/** The folder of a run: which run it holds, and whether that run may be continued. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkWritable, makeFolders, writeFileAtomic } from '@synglot/models';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import type { RunLock } from './run-lock.js';

const configFile = 'config.json';

/** What decides whether a folder may be used. */
export interface RunFolder {
  readonly config: TrainConfig;
  readonly output: string;
  readonly resume?: boolean;
  /** Taken where the folder is made. */
  readonly lock?: RunLock;
}

/**
 * Refuses a folder with another run in it, or with what no run has made and this one would write over, and to resume a
 * run whose configuration has changed. A run that failed before its first update does not count.
 */
export async function checkFolder({ config, output, resume, lock }: RunFolder): Promise<void> {
  checkWritable(output);
  await lock?.check();
  const path = join(output, configFile);
  const existing = await readFile(path, 'utf8').catch(() => undefined);
  const begun = await hasBegun(output);
  if (!begun) await checkForeign(output, existing);
  if (existing === undefined && (resume || !begun)) return;
  if (!begun) return clear(output);
  if (!resume) {
    throw new TrainError(
      'INPUT_OUTPUT',
      `${output} already holds a run; continue it with --resume or choose another --output`,
    );
  }
  const text = identityText(config);
  if (existing === undefined || existing === text) return;
  const model = join(output, 'model');
  const finished = await stat(model).then(
    () => `; to train on from its result, start a run with \`model: ${model}\``,
    () => '',
  );
  throw new TrainError(
    'INPUT_RESUME',
    `${path}: the run was started with another configuration (${changeBetween(existing, text)}); resume with that one or start anew in another --output${finished}`,
  );
}

/** Whether a run got as far as its first update: one that failed before has left nothing worth keeping. */
async function hasBegun(output: string): Promise<boolean> {
  const { size } = await stat(join(output, 'metrics.jsonl')).catch(() => ({ size: 0 }));
  const checkpoints = await readdir(join(output, 'checkpoints')).catch(() => []);
  return size > 0 || checkpoints.length > 0;
}

/** What lies in a folder where no run has begun, by names that a run writes, is somebody else's: a model above all. */
async function checkForeign(output: string, config: string | undefined): Promise<void> {
  const entries = await readdir(output).catch(() => [] as string[]);
  const foreign = [
    ...(config === undefined || isRunConfig(config) ? [] : [configFile]),
    ...['model', 'adapter'].filter((name) => entries.includes(name)),
  ];
  if (foreign.length === 0) return;
  throw new TrainError(
    'INPUT_OUTPUT',
    `${join(output, foreign[0]!)}: no run's, and would be written over; choose another --output`,
  );
}

function isRunConfig(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text).data);
  } catch {
    return false;
  }
}

/** Removes what a run that never began has left; the next one makes its own. */
async function clear(output: string): Promise<void> {
  for (const made of ['initial-model', 'lexicons.json', 'mined']) {
    await rm(join(output, made), { recursive: true, force: true });
  }
}

/** Makes the run's folder, once everything has been checked. */
export async function makeFolder(folder: RunFolder): Promise<void> {
  const { config, output, lock } = folder;
  await makeFolders(join(output, 'checkpoints'));
  // Since it was looked at, another run may have come and gone.
  if (await lock?.take()) await checkFolder(folder);
  const text = identityText(config);
  await writeFileAtomic(join(output, configFile), async (file) => file.writeFile(text));
}

function identityText(config: TrainConfig): string {
  return `${JSON.stringify(configIdentity(config), null, 2)}\n`;
}

function changeBetween(before: string, after: string): string {
  try {
    return firstDifference(JSON.parse(before), JSON.parse(after));
  } catch {
    return 'the file is not JSON';
  }
}

/** What must not change between a run and its continuation. */
function configIdentity({ output: _output, device: _device, checkpoint, ...rest }: TrainConfig): object {
  // How far batches are prepared ahead does not change what is in them.
  const { prefetch: _prefetch, ...training } = rest.training;
  const identity = { ...rest, training };
  // How often checkpoints are written does not change the result; whether the best model is kept does.
  return checkpoint.keep_best ? { ...identity, checkpoint: { keep_best: true } } : identity;
}

function firstDifference(before: unknown, after: unknown, path = ''): string {
  if (typeof before === 'object' && typeof after === 'object' && before && after) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [a, b] = [(before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key]];
      if (JSON.stringify(a) !== JSON.stringify(b))
        return firstDifference(a, b, path ? `${path}.${key}` : key);
    }
  }
  return `${path}: ${JSON.stringify(before)} then, ${JSON.stringify(after)} now`;
}
