/**
 * Benchmark of starting: from the start of the process to the result of the first training step of `workload.ts`.
 *
 *   node packages/bench/dist/start.js [--device lavapipe] [--executor native] [--rounds 3] [--pipelines]
 *
 * Each start is a process of its own. Cold: no cache of shaders or pipelines at all. First: empty caches, which it
 * fills. Second: the caches of the first. `--pipelines` also times every pipeline of the step alone, without caches.
 * Writes `packages/bench/results/<device>/start-<executor>.json`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkNumbers, tellMistakes } from './arguments.js';
import { environment, libraryVersion, writeResult } from './results.js';
import type { StartedProcess } from './start-child.js';
import { spread } from './statistics.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'lavapipe' },
    executor: { type: 'string', default: 'native' },
    rounds: { type: 'string', default: '3' },
    pipelines: { type: 'boolean', default: false },
  },
});
checkNumbers(values, ['rounds']);
const timeoutMs = 10 * 60 * 1000;

/** Of all starts; removed when this process exits. */
const folders = mkdtempSync(join(tmpdir(), 'synglot-start-'));
process.on('exit', () => rmSync(folders, { recursive: true, force: true }));

/** Settings by which Mesa's and NVIDIA's drivers keep what they compile under `folder`, or nowhere. */
function driverCaches(folder: string | undefined): Readonly<Record<string, string>> {
  if (!folder) return { MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };
  const [mesa, nvidia] = [join(folder, 'mesa'), join(folder, 'nvidia')];
  mkdirSync(nvidia, { recursive: true });
  return {
    MESA_SHADER_CACHE_DIR: mesa,
    MESA_SHADER_CACHE_DISABLE: 'false',
    __GL_SHADER_DISK_CACHE_PATH: nvidia,
    __GL_SHADER_DISK_CACHE: '1',
  };
}

/** Runs the child with its caches under `folder`, or with none. */
async function start(folder: string | undefined, extra: readonly string[] = []): Promise<StartedProcess> {
  const cache = folder ?? mkdtempSync(join(folders, 'none-'));
  const env = { ...process.env, XDG_CACHE_HOME: cache, ...driverCaches(folder) };
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('start-child.js', import.meta.url)),
      ...[
        '--device',
        values.device,
        '--executor',
        values.executor,
        ...(folder ? [] : ['--no-cache']),
        ...extra,
      ],
    ],
    { env, stdio: ['ignore', 'pipe', 'inherit'], timeout: timeoutMs },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code === null) throw new Error('a start was ended by a signal');
  // It has said why.
  if (code !== 0) process.exit(code);
  return JSON.parse(output.trim().split('\n').at(-1) as string) as StartedProcess;
}

// Now, not at the end: the commit and the load that were measured.
const measuredOn = environment();
const rounds = {
  cold: [] as StartedProcess[],
  first: [] as StartedProcess[],
  second: [] as StartedProcess[],
};
for (let round = 0; round < Number(values.rounds); round++) {
  const caches = mkdtempSync(join(folders, 'caches-'));
  rounds.cold.push(await start(undefined));
  rounds.first.push(await start(caches));
  rounds.second.push(await start(caches));
}
const losses = new Set(Object.values(rounds).flatMap((starts) => starts.map(({ loss }) => loss)));
if (losses.size !== 1) throw new Error(`the first loss depends on the caches: ${[...losses].join(', ')}`);

const phases = [
  'modules',
  'device',
  'weights',
  'plan',
  'compile',
  'run',
  'total',
  'secondStep',
  'overhead',
  'cpu',
] as const;
const summary = Object.fromEntries(
  Object.entries(rounds).map(([name, starts]) => [
    name,
    Object.fromEntries(
      phases.map((phase) => [phase, spread(starts.map((one) => one.seconds[phase]))] as const),
    ),
  ]),
);
console.table(
  Object.fromEntries(
    Object.entries(summary).map(([name, seconds]) => [
      name,
      Object.fromEntries(phases.map((phase) => [phase, Number(seconds[phase]?.median.toFixed(2))])),
    ]),
  ),
);
const pipelines = values.pipelines ? (await start(undefined, ['--pipelines'])).pipelines : undefined;
if (pipelines) console.table(pipelines);
const [one] = rounds.cold as [StartedProcess];
const path = writeResult({ id: one.device, driver: one.driver }, `start-${values.executor}`, {
  benchmark:
    'start to the loss of the first training step: 2 layers, hidden 384, 12 heads, ffn 1536, vocabulary 30522, 32 pairs of 32 tokens, f32, SGD',
  version: libraryVersion,
  executor: values.executor,
  driver: one.driver,
  loss: one.loss,
  seconds: summary,
  ...(pipelines ? { pipelines } : {}),
  ...measuredOn,
});
console.log(`wrote ${path}`);
