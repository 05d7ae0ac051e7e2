/**
 * How the cost of a training step grows: one size varied at a time around the step of `workload.ts`.
 *
 *   node packages/bench/dist/curves.js [--device lavapipe] [--runs 3]
 *
 * Writes `packages/bench/results/<device>/curves.json`: seconds per step with p10 and p90, bytes of the plan's buffers and
 * of parameters with gradients.
 */
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import { checkNumbers, tellMistakes } from './arguments.js';
import { environment, writeResult } from './results.js';
import { seededBatch, shapes } from './shapes.js';
import { spread } from './statistics.js';
import { openStepBench } from './step-bench.js';
import { pairs, sequenceLength } from './workload.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    runs: { type: 'string', default: '3' },
  },
});
checkNumbers(values, ['runs']);

const { encoder, pooling } = shapes.peers!;
interface Point {
  readonly pairs: number;
  readonly tokens: number;
  readonly layers: number;
  readonly vocabulary: number;
}
const middle: Point = {
  pairs,
  tokens: sequenceLength,
  layers: encoder.layers,
  vocabulary: encoder.vocabularySize,
};
/** Ascending, the middle among them. */
const curves: { readonly [Key in keyof Point]: readonly number[] } = {
  pairs: [8, 16, 32, 64],
  tokens: [8, 16, 32, 64, 128],
  layers: [1, 2, 4, 6],
  vocabulary: [1000, 30522, 120000],
};

const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const measured: Record<string, object[]> = {};
for (const [name, sizes] of Object.entries(curves)) {
  measured[name] = [];
  for (const size of sizes) {
    const point: Point = { ...middle, [name]: size };
    const shape = {
      encoder: { ...encoder, layers: point.layers, vocabularySize: point.vocabulary },
      pooling,
    };
    const batch = seededBatch(point.pairs, point.tokens, point.vocabulary);
    const step = await openStepBench(executor, { shape, batch, optimizer: 'adamw' });
    const times: number[] = [];
    // The first run compiles.
    for (let index = 0; index <= Number(values.runs); index++) {
      const begin = performance.now();
      await step.run(index);
      if (index > 0) times.push((performance.now() - begin) / 1000);
    }
    const row = {
      [name]: size,
      seconds: spread(times),
      gflops_per_second: step.flops / spread(times).median / 1e9,
      memory_bytes: step.memory,
    };
    measured[name].push(row);
    console.log(
      `${name} ${size}: ${row.seconds.median.toFixed(3)} s, ${row.gflops_per_second.toFixed(1)} GFLOP/s, plan ${(step.memory.plan / 2 ** 20).toFixed(1)} MiB`,
    );
    step.destroy();
  }
}
const path = writeResult(executor.device, 'curves', {
  benchmark: `one size varied around ${middle.pairs} pairs of ${middle.tokens} tokens, ${middle.layers} layers of hidden ${encoder.hiddenSize}, vocabulary ${middle.vocabulary}; f32, AdamW with clipping`,
  curves: measured,
  device: { name: executor.device.name, driver: executor.device.driver },
  executor: executor.kind,
  ...environment(),
});
console.log(`wrote ${path}`);
executor.destroy();
