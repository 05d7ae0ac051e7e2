/** The training step of `src/workload.ts` in jax-js, as one jitted function; prints a line of JSON. */
import { fallingLoss, repeat, repeatArguments } from '../dist/child.js';
import { workloadWeights } from '../dist/weights.js';
import { encoder, learningRate, makeBatch, pairs, sequenceLength, temperature } from '../dist/workload.js';
import { driverName, versionOf } from './gpu-globals.js';

const { defaultDevice, init, jit, nn, numpy: np, tree, valueAndGrad } = await import('@jax-js/jax');
const devices = await init('webgpu');
if (!devices.includes('webgpu')) throw new Error('jax-js found no WebGPU device');
defaultDevice('webgpu');

const weightsBegin = performance.now();
const weights = await workloadWeights(true);
const weightsSeconds = (performance.now() - weightsBegin) / 1000;
const sequences = pairs * 2;
const { hiddenSize, heads, layers, layerNormEpsilon: epsilon } = encoder;

// Arrays are reference-counted: a use consumes, `.ref` keeps.
function loss(p, ids) {
  const dense = (x, name) => np.matmul(x, p[`${name}.weight`]).add(p[`${name}.bias`]);
  const norm = (x, name) =>
    nn.standardize(x, -1, { epsilon }).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  const split = (x) => x.reshape([sequences, sequenceLength, heads, hiddenSize / heads]);

  const words = np.take(p['embeddings.word_embeddings.weight'], ids, 0);
  const positions = p['embeddings.position_embeddings.weight'].slice([0, sequenceLength]);
  const types = p['embeddings.token_type_embeddings.weight'].slice([0, 1]);
  // Tiled, rather than `words` reshaped: this version cannot jit a scatter whose input is a reshape.
  let x = norm(words.add(np.tile(positions, [sequences, 1])).add(types), 'embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const name = `encoder.layer.${layer}`;
    const mixed = nn.dotProductAttention(
      split(dense(x.ref, `${name}.attention.self.query`)),
      split(dense(x.ref, `${name}.attention.self.key`)),
      split(dense(x.ref, `${name}.attention.self.value`)),
    );
    const attended = dense(
      mixed.reshape([sequences * sequenceLength, hiddenSize]),
      `${name}.attention.output.dense`,
    );
    x = norm(attended.add(x), `${name}.attention.output.LayerNorm`);
    const activated = nn.gelu(dense(x.ref, `${name}.intermediate.dense`), { approximate: false });
    x = norm(dense(activated, `${name}.output.dense`).add(x), `${name}.output.LayerNorm`);
  }
  const pooled = np.mean(x.reshape([sequences, sequenceLength, hiddenSize]), 1);
  const lengths = np.sqrt(np.sum(pooled.ref.mul(pooled.ref), -1, { keepdims: true }));
  const embeddings = pooled.div(lengths);
  const queries = embeddings.ref.slice([0, pairs]);
  const passages = embeddings.slice([pairs, sequences]);
  const similarity = np.matmul(queries, np.transpose(passages)).div(temperature);
  return np.sum(nn.logSoftmax(similarity, -1).mul(np.eye(pairs))).div(-pairs);
}

const step = jit((p, ids) => {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(p), ids);
  return [value, tree.map((weight, gradient) => weight.sub(gradient.mul(learningRate)), p, gradients)];
});

let parameters = Object.fromEntries(
  [...weights.values()].map(({ name, shape, data }) => [name, np.array(data, { shape: [...shape] })]),
);
const ids = np.array(Int32Array.from(makeBatch().ids), { dtype: np.int32 });
const { values, seconds, coldStartSeconds, cpuSeconds } = await repeat(async () => {
  const [value, updated] = step(parameters, ids.ref);
  parameters = updated;
  const [number] = await value.data();
  return number;
}, repeatArguments(process.argv));
console.log(
  JSON.stringify({
    library: 'jax-js',
    version: `${versionOf('@jax-js/jax')}, webgpu ${versionOf('webgpu')}`,
    driver: await driverName(),
    seconds,
    cold_start_seconds: coldStartSeconds,
    weights_seconds: weightsSeconds,
    cpu_seconds: cpuSeconds,
    loss: fallingLoss(values),
  }),
);
process.exit(0);
