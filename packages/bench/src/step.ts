/**
 * Benchmark of the training step in `workload.ts`.
 *
 *   node packages/bench/dist/step.js [--device lavapipe] [--executor native] [--runs 10] [--profile]
 *
 * Checks that the loss falls, warms up, repeats, prints the median with p10 and p90 and writes
 * `packages/bench/results/<device>/step-<executor>.json`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import {
  buildTrainPlan,
  clipResult,
  columnLossResult,
  encoderParameters,
  freshParameters,
  groupsFeed,
  meanLoss,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { spread } from './statistics.js';
import { encoder, makeBatch, pairs, pooling, sequenceLength, stepFlops, temperature } from './workload.js';

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    runs: { type: 'string', default: '10' },
    profile: { type: 'boolean', default: false },
  },
});
const started = performance.now();
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const specs = encoderParameters(encoder, pooling);
const store = new ParameterStore(executor, specs);
await store.load('parameter', freshParameters(encoder, specs, 0));
store.allocate('gradient');
const batch = makeBatch();
const capacity = { tokens: batch.ids.length, queries: pairs, candidates: pairs };
const plan = buildTrainPlan({
  config: encoder,
  pooling,
  layout: store.layout,
  device: executor.device,
  capacity,
  loss: { temperature, direction: 'query-to-passage' },
  mode: 'step',
  optimizer: { method: { kind: 'sgd', weightDecay: 0 }, maxGradientNorm: 0, decay: 'all' },
});
const compiled = await executor.compile(plan, store.externals);
const { feeds, counts } = packBatch(encoder, capacity, batch);

async function step(index: number, profile = false) {
  const begin = performance.now();
  const result = await compiled.run({
    feeds: {
      ...feeds,
      [groupsFeed]: batch.groups,
      step: packStep({ counts, update: { step: index, learningRate: 0.01, beta1: 0, beta2: 0 } }),
    },
    reads: [rowLossResult, columnLossResult, clipResult],
    profile,
  });
  const seconds = (performance.now() - begin) / 1000;
  const rows = new Float32Array(result.reads[rowLossResult] as ArrayBuffer);
  return { seconds, loss: meanLoss(rows, rows, pairs, 'query-to-passage'), timings: result.timings ?? [] };
}

const first = await step(1);
const coldStartSeconds = (performance.now() - started) / 1000;
const times: number[] = [];
let last = first;
for (let index = 0; index < Number(values.runs) + 2; index++) {
  last = await step(index + 2);
  if (index >= 2) times.push(last.seconds);
}
if (!(last.loss < first.loss)) throw new Error(`the loss did not fall: ${first.loss} → ${last.loss}`);
const seconds = spread(times);
const result = {
  benchmark:
    'training step: 2 layers, hidden 384, 12 heads, ffn 1536, vocabulary 30522, 32 pairs of 32 tokens, f32, SGD',
  tokens: pairs * 2 * sequenceLength,
  seconds,
  gflops_per_second: stepFlops() / seconds.median / 1e9,
  cold_start_seconds: coldStartSeconds,
  loss: { first: first.loss, last: last.loss },
  dispatches: plan.commands.length,
  executor: executor.kind,
  device: {
    name: executor.device.name,
    driver: executor.device.driver,
    subgroups: executor.device.subgroups,
  },
  host: { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version },
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
};
console.log(
  `${executor.device.name} (${executor.kind}): ${seconds.median.toFixed(3)} s a step (p10 ${seconds.p10.toFixed(3)}, p90 ${seconds.p90.toFixed(3)}), ${result.gflops_per_second.toFixed(1)} GFLOP/s, first step after ${coldStartSeconds.toFixed(1)} s`,
);
if (values.profile) {
  const byKernel = new Map<string, { count: number; timeNs: number }>();
  for (const { kernel, timeNs } of (await step(99, true)).timings) {
    const entry = byKernel.get(kernel) ?? { count: 0, timeNs: 0 };
    byKernel.set(kernel, { count: entry.count + 1, timeNs: entry.timeNs + timeNs });
  }
  console.table(
    [...byKernel]
      .sort((a, b) => b[1].timeNs - a[1].timeNs)
      .map(([kernel, { count, timeNs }]) => ({
        kernel,
        dispatches: count,
        ms: Number((timeNs / 1e6).toFixed(2)),
      })),
  );
}
const folder = fileURLToPath(new URL(`../results/${executor.device.id}/`, import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}step-${executor.kind}.json`, `${JSON.stringify(result, null, 2)}\n`);
executor.destroy();
