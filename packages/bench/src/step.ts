/**
 * Benchmark of the training step, by default the one of `workload.ts` that peers are compared on.
 *
 *   node packages/bench/dist/step.js [--device lavapipe] [--executor native] [--runs 10] [--profile] [--json]
 *     [--shape peers|minilm|xlm-r-base|labse] [--pairs 32] [--lengths 32|xquad-r] [--optimizer sgd|adamw]
 *     [--precision f32|mixed] [--tune table.json] [--trace step.json]
 *
 * Checks that the loss falls, warms up, repeats, prints the median with p10 and p90 and writes
 * `packages/bench/results/<device>/step-<executor>.json` (other shapes: `step-<shape>-<executor>.json`; mixed
 * precision: `step-<shape>-<executor>-mixed.json`). `--tune` takes kernels from a table of
 * `synglot tune`, measures what it lacks and adds each choice to it at once; the result is `…-tuned.json`. With `--json` it
 * only prints a line of JSON, for `peers.ts`. `--trace` writes what Perfetto opens, and prints the share of the step in
 * which the device was idle.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DispatchTiming } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import { checkChoice, checkLengths, checkNumbers, tellMistakes } from './arguments.js';
import { type ChildResult, fallingLoss, repeat, repeatArguments } from './child.js';
import { type FailedPart, unlessItFails } from './failures.js';
import { environment, libraryVersion, writeResult } from './results.js';
import { seededBatch, shapes } from './shapes.js';
import { openStepBench } from './step-bench.js';
import { idleShare, traceOf } from './trace.js';
import { readTuning, writeTuning } from './tuning-file.js';
import { makeBatch, pairs, sequenceLength } from './workload.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    runs: { type: 'string', default: '10' },
    'warm-ups': { type: 'string', default: '2' },
    shape: { type: 'string', default: 'peers' },
    pairs: { type: 'string' },
    lengths: { type: 'string' },
    optimizer: { type: 'string', default: 'sgd' },
    precision: { type: 'string', default: 'f32' },
    tune: { type: 'string' },
    profile: { type: 'boolean', default: false },
    trace: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
checkNumbers(values, ['runs', 'pairs']);
checkNumbers(values, ['warm-ups'], 0);
checkLengths(values);
checkChoice(values, 'optimizer', ['sgd', 'adamw']);
checkChoice(values, 'precision', ['f32', 'mixed']);
const shape = shapes[values.shape];
if (!shape) {
  console.error(`unknown shape '${values.shape}'; there are ${Object.keys(shapes).join(', ')}`);
  process.exit(2);
}
const lengths = values.lengths === 'xquad-r' ? 'xquad-r' : Number(values.lengths ?? sequenceLength);
const asPeers = values.shape === 'peers' && !values.pairs && !values.lengths;
const batch = asPeers
  ? makeBatch()
  : seededBatch(Number(values.pairs ?? pairs), lengths, shape.encoder.vocabularySize);
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const { tune } = values;
const mixed = values.precision === 'mixed';
if (mixed && !executor.device.features.includes('shader-f16')) {
  console.error(`--precision mixed: ${executor.device.name} has no half precision (shader-f16)`);
  process.exit(2);
}
const step = await openStepBench(executor, {
  shape,
  batch,
  optimizer: values.optimizer === 'adamw' ? 'adamw' : 'sgd',
  precision: mixed ? 'mixed' : 'f32',
  ...(tune
    ? {
        tuning: readTuning(tune, executor.device),
        onTuned: (choice) => writeTuning(tune, executor.device, choice),
      }
    : {}),
});

/** Device time by kernel, most first. */
function byKernel(timings: readonly DispatchTiming[]) {
  const kernels = new Map<string, { dispatches: number; milliseconds: number }>();
  for (const { kernel, timeNs } of timings) {
    const entry = kernels.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
    kernels.set(kernel, {
      dispatches: entry.dispatches + 1,
      milliseconds: entry.milliseconds + timeNs / 1e6,
    });
  }
  return [...kernels]
    .map(([kernel, entry]) => ({ kernel, ...entry, milliseconds: Number(entry.milliseconds.toFixed(3)) }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

const {
  seconds,
  coldStartSeconds,
  cpuSeconds,
  values: losses,
} = await repeat(
  (index) => step.run(index),
  repeatArguments(['--runs', values.runs, '--warm-ups', values['warm-ups']]),
);
const measured: ChildResult = {
  library: `synglot (${executor.kind})`,
  version: libraryVersion,
  driver: `${executor.device.name}; ${executor.device.driver}`,
  seconds,
  cold_start_seconds: coldStartSeconds,
  weights_seconds: step.weightsSeconds,
  cpu_seconds: cpuSeconds,
  loss: fallingLoss(losses),
};
if (values.json) {
  console.log(JSON.stringify(measured));
} else {
  const gflops = step.flops / seconds.median / 1e9;
  console.log(
    `${executor.device.name} (${executor.kind}), ${values.shape}: ${seconds.median.toFixed(3)} s a step (p10 ${seconds.p10.toFixed(3)}, p90 ${seconds.p90.toFixed(3)}), ${(batch.queries / seconds.median).toFixed(1)} pairs/s, ${gflops.toFixed(1)} GFLOP/s, first step after ${coldStartSeconds.toFixed(1)} s`,
  );
  const failed: FailedPart[] = [];
  const profiled = values.profile || values.trace;
  const timings =
    (profiled && (await unlessItFails(failed, 'the profiled step', () => step.profile(98)))) || [];
  const kernels = byKernel(timings);
  if (values.profile && kernels.length > 0) console.table(kernels);
  const deviceSeconds = timings.reduce((sum, { timeNs }) => sum + timeNs, 0) / 1e9;
  if (values.trace) {
    writeFileSync(values.trace, JSON.stringify(traceOf(executor.device.name, timings)));
    console.log(
      `wrote ${values.trace}; idle ${(100 * idleShare(timings)).toFixed(1)}% of the profiled step, its dispatches take ${((100 * deviceSeconds) / seconds.median).toFixed(1)}% of the time of a step without timestamps`,
    );
  }
  const which = asPeers && !mixed ? executor.kind : `${values.shape}-${executor.kind}`;
  const name = `step-${which}${mixed ? '-mixed' : ''}${tune ? '-tuned' : ''}`;
  const stored = mixed ? 'mixed precision' : 'f32';
  const path = writeResult(executor.device, name, {
    benchmark: asPeers
      ? `training step: 2 layers, hidden 384, 12 heads, ffn 1536, vocabulary 30522, 32 pairs of 32 tokens, ${stored}, SGD`
      : `training step: ${values.shape}, ${batch.queries} pairs, lengths ${lengths}, ${stored}, ${values.optimizer}`,
    tokens: step.tokens,
    pairs: batch.queries,
    ...measured,
    pairs_per_second: batch.queries / seconds.median,
    gflops_per_second: gflops,
    dispatches: step.plan.commands.filter(({ kind }) => kind === 'dispatch').length,
    memory_bytes: step.memory,
    ...(tune ? { kernel_choices: step.kernelChoices } : {}),
    executor: executor.kind,
    device: {
      name: executor.device.name,
      driver: executor.device.driver,
      subgroups: executor.device.subgroups,
    },
    ...(timings.length > 0
      ? { profile: kernels, idle_share: idleShare(timings), profiled_seconds: deviceSeconds }
      : {}),
    ...(failed.length > 0 ? { failed } : {}),
    ...environment(),
  });
  console.log(`wrote ${path}`);
}
step.destroy();
executor.destroy();
