/**
 * Checkpoints of a run: model, optimiser state and where the run stands, in one folder.
 *
 * A checkpoint is written under a temporary name and renamed when it is complete, so that a folder
 * `step-000100` always is. Layout: `model/` (sentence-transformers), `optimizer.safetensors`,
 * `trainer.json`, `checksums.json`.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointContents,
  ModelError,
  partialMark,
  SafetensorsFile,
  saveCheckpoint,
  storedTensors,
  writeError,
  writeFileAtomic,
  writeSafetensors,
} from '@synglot/models';
import type { ParameterStore, ReadRows } from '@synglot/nn';
import { findDamaged, writeChecksums } from './checksums.js';
import { TrainError } from './errors.js';
import type { TrainerState } from './trainer.js';

/** What is saved with a model's weights: configuration, pooling, tokenizer and what its card says. */
export type ModelParts = Omit<CheckpointContents, 'tensors'>;

/** Everything that a resumed run needs besides the configuration. */
export interface SavedRun {
  readonly folder: string;
  readonly state: TrainerState;
}

const stateFile = 'trainer.json';
export const optimizerFile = 'optimizer.safetensors';

/** Saves a checkpoint as `${root}/step-NNNNNN` and removes all but the newest `keep`. */
export async function writeCheckpoint(
  root: string,
  options: {
    readonly store: ParameterStore;
    readonly model: ModelParts;
    readonly state: TrainerState;
    /** Kinds of buffers that the optimiser keeps. */
    readonly optimizerKinds: readonly string[];
    readonly keep: number;
  },
): Promise<string> {
  const { store, model, state } = options;
  const target = join(root, folderName(state.step));
  await writeWhole(target, async (folder) => {
    await writeModel(join(folder, 'model'), store, model);
    await writeSafetensors(join(folder, optimizerFile), tensorSources(store, options.optimizerKinds));
    const text = `${JSON.stringify(state, null, 2)}\n`;
    await writeFileAtomic(join(folder, stateFile), (file) => file.writeFile(text));
  });
  await removeOld(root, options.keep);
  return target;
}

/** Saves parameters as a sentence-transformers folder. */
export async function writeModel(folder: string, store: ParameterStore, model: ModelParts): Promise<void> {
  await saveCheckpoint(folder, { ...model, tensors: storedTensors(store) });
}

/** Replaces a saved model; a folder of that name is always complete. */
export async function writeBest(folder: string, store: ParameterStore, model: ModelParts): Promise<void> {
  await writeWhole(folder, (partial) => writeModel(join(partial, 'model'), store, model));
}

/** Lets `write` fill a folder, and gives it its name when it is complete; what had the name is removed without it. */
async function writeWhole(target: string, write: (folder: string) => Promise<void>): Promise<void> {
  const partial = `${target}${partialMark}`;
  const replaced = `${partial}replaced`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await write(partial);
    await writeChecksums(partial);
    await rm(replaced, { recursive: true, force: true });
    if (existsSync(target)) await rename(target, replaced);
    await rename(partial, target);
    await rm(replaced, { recursive: true, force: true });
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    const failure = writeError(target, error);
    if (!(failure instanceof ModelError)) throw failure;
    // By the name that it would have got.
    const message = `${failure.message.replace(partial, target)}; --resume then continues the run`;
    throw new ModelError(failure.code, message, { cause: failure });
  }
}

/** The newest checkpoint of a run, if there is one. */
export async function findCheckpoint(root: string): Promise<SavedRun | undefined> {
  const names = await checkpointNames(root);
  const newest = names.at(-1);
  if (!newest) return undefined;
  const folder = join(root, newest);
  const refused = (file: string, reason: string) =>
    new TrainError('INPUT_RESUME', `${file}: ${reason}; delete ${folder} to resume from the one before`);
  const damaged = await findDamaged(folder);
  if (damaged) throw refused(damaged, 'damaged since it was written');
  const file = join(folder, stateFile);
  try {
    const state = JSON.parse(await readFile(file, 'utf8')) as TrainerState;
    if (!Number.isInteger(state.step)) throw new SyntaxError('no step');
    return { folder, state };
  } catch (error) {
    throw refused(file, (error as Error).message);
  }
}

/**
 * Loads the optimiser's buffers of a checkpoint.
 *
 * @param fresh whether training of a parameter begins here: its buffers then stay zero
 */
export async function loadOptimizer(
  folder: string,
  store: ParameterStore,
  kinds: readonly string[],
  fresh: (name: string) => boolean = () => false,
): Promise<void> {
  const file = await SafetensorsFile.open(join(folder, optimizerFile));
  for (const kind of kinds) {
    const read: ReadRows = (name, begin, end) => file.readRows(`${kind} ${name}`, begin, end);
    store.allocate(kind);
    for (const { name } of store.layout.specsOf(kind)) {
      if (!fresh(name)) await store.loadOne(kind, name, read);
    }
  }
}

function folderName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

function* tensorSources(store: ParameterStore, kinds: readonly string[]) {
  for (const kind of kinds) {
    for (const { name, shape } of store.layout.specsOf(kind)) {
      yield { name: `${kind} ${name}`, shape, read: () => store.read(kind, name) };
    }
  }
  for (const { name, shape, auxiliary } of store.layout.specs) {
    if (auxiliary) yield { name: `parameter ${name}`, shape, read: () => store.read('parameter', name) };
  }
}

async function checkpointNames(root: string): Promise<string[]> {
  const names = await readdir(root).catch(() => [] as string[]);
  return names
    .filter((name) => /^step-\d{6,}$/.test(name))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** Removal takes time, so what is being removed loses its name first. */
async function removeOld(root: string, keep: number): Promise<void> {
  const names = await checkpointNames(root);
  for (const name of names.slice(0, -keep)) {
    const removed = join(root, `${name}${partialMark}`);
    await rm(removed, { recursive: true, force: true });
    await rename(join(root, name), removed);
  }
  for (const name of await readdir(root)) {
    if (name.includes(partialMark)) await rm(join(root, name), { recursive: true, force: true });
  }
}
