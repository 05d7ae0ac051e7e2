/**
 * Benchmark of encoding: texts and tokens per second of an encoder, tokens in and embeddings out.
 *
 *   node packages/bench/dist/encode.js [--device lavapipe] [--shape minilm] [--texts 64] [--lengths xquad-r] [--runs 5]
 *
 * Checks that embeddings have unit length and that texts differ, warms up, repeats, writes
 * `packages/bench/results/<device>/encode-<shape>.json`.
 */
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import {
  buildEncodePlan,
  embeddingDimension,
  embeddingsResult,
  encoderParameters,
  freshParameters,
  ParameterStore,
  packBatch,
  packStep,
} from '@synglot/nn';
import { checkLengths, checkNumbers, tellMistakes } from './arguments.js';
import { repeat, repeatArguments } from './child.js';
import { environment, writeResult } from './results.js';
import { flopsOf, seededBatch, shapes } from './shapes.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    shape: { type: 'string', default: 'minilm' },
    texts: { type: 'string', default: '64' },
    lengths: { type: 'string', default: 'xquad-r' },
    runs: { type: 'string', default: '5' },
    'warm-ups': { type: 'string', default: '1' },
  },
});
checkNumbers(values, ['runs', 'texts']);
checkNumbers(values, ['warm-ups'], 0);
checkLengths(values);
const shape = shapes[values.shape];
if (!shape) {
  console.error(`unknown shape '${values.shape}'; there are ${Object.keys(shapes).join(', ')}`);
  process.exit(2);
}
const { encoder, pooling } = shape;
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const specs = encoderParameters(encoder, pooling);
const store = new ParameterStore(executor, specs);
await store.load('parameter', freshParameters(encoder, specs, 0));
const half = Math.ceil(Number(values.texts) / 2);
const lengths = values.lengths === 'xquad-r' ? 'xquad-r' : Number(values.lengths);
const batch = seededBatch(half, lengths, encoder.vocabularySize);
const texts = 2 * half;
const { plan, capacity } = buildEncodePlan({
  config: encoder,
  pooling,
  layout: store.layout,
  device: executor.device,
  tokens: Math.ceil(batch.ids.length / 4) * 4,
  sequences: texts,
});
const compiled = await executor.compile(plan, store.externals);
const { feeds, counts } = packBatch(encoder, capacity, { ...batch, queries: texts, candidates: 0 });
const dimension = embeddingDimension(encoder, pooling);

async function encodeOnce(): Promise<number> {
  const { reads } = await compiled.run({
    feeds: { ...feeds, step: packStep({ counts }) },
    reads: [embeddingsResult],
  });
  return check(new Float32Array(reads[embeddingsResult] as ArrayBuffer));
}

/** The largest distance of a norm from 1; throws where it is large or where all texts are one. */
function check(embeddings: Float32Array): number {
  let worst = 0;
  for (let text = 0; text < texts; text++) {
    const own = embeddings.subarray(text * dimension, (text + 1) * dimension);
    const norm = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    worst = Math.max(worst, Math.abs(norm - 1));
  }
  const same = embeddings
    .subarray(0, dimension)
    .every((value, index) => value === embeddings[dimension + index]);
  if (!(worst < 1e-4) || same)
    throw new Error(`wrong embeddings: norms ${worst} off, first two equal: ${same}`);
  return worst;
}

const { seconds, coldStartSeconds } = await repeat(
  encodeOnce,
  repeatArguments(['--runs', values.runs, '--warm-ups', values['warm-ups']]),
);
// A third of a training step: forward only, and no similarities.
const flops = flopsOf(shape, { ...batch, queries: 0 }) / 3;
const result = {
  benchmark: `encoding: ${values.shape}, ${texts} texts a batch, lengths ${lengths}, f32`,
  tokens: batch.ids.length,
  texts,
  seconds,
  texts_per_second: texts / seconds.median,
  tokens_per_second: batch.ids.length / seconds.median,
  gflops_per_second: flops / seconds.median / 1e9,
  cold_start_seconds: coldStartSeconds,
  device: { name: executor.device.name, driver: executor.device.driver },
  executor: executor.kind,
  ...environment(),
};
console.log(
  `${executor.device.name} (${executor.kind}), ${values.shape}: ${result.texts_per_second.toFixed(1)} texts/s, ${result.tokens_per_second.toFixed(0)} tokens/s, ${result.gflops_per_second.toFixed(1)} GFLOP/s (p10 ${seconds.p10.toFixed(3)} s, p90 ${seconds.p90.toFixed(3)} s a batch)`,
);
console.log(`wrote ${writeResult(executor.device, `encode-${values.shape}`, result)}`);
compiled.destroy();
store.destroy();
executor.destroy();
