/**
 * Benchmark of the training step in `workload.ts`.
 *
 *   node packages/bench/dist/step.js [--device lavapipe] [--executor native] [--runs 10] [--profile] [--json]
 *
 * Checks that the loss falls, warms up, repeats, prints the median with p10 and p90 and writes
 * `packages/bench/results/<device>/step-<executor>.json`. With `--json` it only prints a line of
 * JSON, for `peers.ts`.
 */
import { parseArgs } from 'node:util';
import type { CompiledPlan } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import {
  buildTrainPlan,
  clipResult,
  columnLossResult,
  contrastive,
  encoderParameters,
  groupsFeed,
  meanLoss,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { type ChildResult, fallingLoss, repeat, repeatArguments } from './child.js';
import { environment, libraryVersion, writeResult } from './results.js';
import { workloadWeights } from './weights.js';
import {
  encoder,
  learningRate,
  makeBatch,
  pairs,
  pooling,
  sequenceLength,
  stepFlops,
  temperature,
} from './workload.js';

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    runs: { type: 'string', default: '10' },
    'warm-ups': { type: 'string', default: '2' },
    profile: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const store = new ParameterStore(executor, encoderParameters(encoder, pooling));
const weightsBegin = performance.now();
const weights = await workloadWeights(false);
const weightsSeconds = (performance.now() - weightsBegin) / 1000;
await store.load('parameter', async (name, begin, end) => {
  const { data, shape } = weights.get(name) as { data: Float32Array; shape: readonly number[] };
  const columns = data.length / (shape[0] as number);
  return data.subarray(begin * columns, end * columns);
});
store.allocate('gradient');
const batch = makeBatch();
const capacity = { tokens: batch.ids.length, queries: pairs, candidates: pairs };
const plan = buildTrainPlan({
  config: encoder,
  pooling,
  layout: store.layout,
  device: executor.device,
  capacity,
  objectives: [contrastive({ temperature, direction: 'query-to-passage' })],
  mode: 'step',
  optimizer: { method: { kind: 'sgd', weightDecay: 0 }, maxGradientNorm: 0, decay: 'all' },
});
const compiled = await executor.compile(plan, store.externals);
const { feeds, counts } = packBatch(encoder, capacity, batch);

async function runStep(index: number, profile = false): ReturnType<CompiledPlan['run']> {
  return compiled.run({
    feeds: {
      ...feeds,
      [groupsFeed]: batch.groups,
      step: packStep({ counts, update: { step: index + 1, learningRate, beta1: 0, beta2: 0 } }),
    },
    reads: [rowLossResult, columnLossResult, clipResult],
    profile,
  });
}

async function lossOfStep(index: number): Promise<number> {
  const { reads } = await runStep(index);
  const rows = new Float32Array(reads[rowLossResult] as ArrayBuffer);
  return meanLoss(rows, rows, pairs, 'query-to-passage');
}

/** Device time by kernel in one step, most first; empty where the device has no timestamps. */
async function profile() {
  const byKernel = new Map<string, { dispatches: number; milliseconds: number }>();
  for (const { kernel, timeNs } of (await runStep(98, true)).timings ?? []) {
    const entry = byKernel.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
    byKernel.set(kernel, {
      dispatches: entry.dispatches + 1,
      milliseconds: entry.milliseconds + timeNs / 1e6,
    });
  }
  return [...byKernel]
    .map(([kernel, entry]) => ({ kernel, ...entry, milliseconds: Number(entry.milliseconds.toFixed(3)) }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

const {
  seconds,
  coldStartSeconds,
  cpuSeconds,
  values: losses,
} = await repeat(lossOfStep, repeatArguments(['--runs', values.runs, '--warm-ups', values['warm-ups']]));
const measured: ChildResult = {
  library: `synglot (${executor.kind})`,
  version: libraryVersion,
  driver: `${executor.device.name}; ${executor.device.driver}`,
  seconds,
  cold_start_seconds: coldStartSeconds,
  weights_seconds: weightsSeconds,
  cpu_seconds: cpuSeconds,
  loss: fallingLoss(losses),
};
if (values.json) {
  console.log(JSON.stringify(measured));
} else {
  const gflops = stepFlops() / seconds.median / 1e9;
  console.log(
    `${executor.device.name} (${executor.kind}): ${seconds.median.toFixed(3)} s a step (p10 ${seconds.p10.toFixed(3)}, p90 ${seconds.p90.toFixed(3)}), ${gflops.toFixed(1)} GFLOP/s, first step after ${coldStartSeconds.toFixed(1)} s`,
  );
  const kernels = values.profile ? await profile() : [];
  if (kernels.length > 0) console.table(kernels);
  const path = writeResult(executor.device.id, `step-${executor.kind}`, {
    benchmark:
      'training step: 2 layers, hidden 384, 12 heads, ffn 1536, vocabulary 30522, 32 pairs of 32 tokens, f32, SGD',
    tokens: pairs * 2 * sequenceLength,
    ...measured,
    gflops_per_second: gflops,
    dispatches: plan.commands.length,
    executor: executor.kind,
    device: {
      name: executor.device.name,
      driver: executor.device.driver,
      subgroups: executor.device.subgroups,
    },
    ...(kernels.length > 0 ? { profile: kernels } : {}),
    ...environment(),
  });
  console.log(`wrote ${path}`);
}
executor.destroy();
