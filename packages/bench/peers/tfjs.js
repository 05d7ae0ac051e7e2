/** The training step of `src/workload.ts` in TensorFlow.js on its WebGPU backend; prints a line of JSON. */
import { createRequire } from 'node:module';
import { fallingLoss, repeat, repeatArguments } from '../dist/child.js';
import { workloadWeights } from '../dist/weights.js';
import { encoder, learningRate, makeBatch, pairs, sequenceLength, temperature } from '../dist/workload.js';
import { driverName, versionOf } from './gpu-globals.js';

// CommonJS, as Node users get it; required after the globals are there, which it looks for when loaded.
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-webgpu');
// Registers the gradients of all operators; tfjs-core for Node comes without them.
require('@tensorflow/tfjs-layers');
if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs found no WebGPU device');
await tf.ready();

const weightsBegin = performance.now();
const weights = await workloadWeights(true);
const weightsSeconds = (performance.now() - weightsBegin) / 1000;
const sequences = pairs * 2;
const { hiddenSize, heads, layers, layerNormEpsilon: epsilon } = encoder;
const headSize = hiddenSize / heads;
const p = Object.fromEntries(
  [...weights.values()].map(({ name, shape, data }) => [name, tf.variable(tf.tensor(data, [...shape]))]),
);
const ids = tf.tensor1d(Int32Array.from(makeBatch().ids), 'int32');
const diagonal = tf.eye(pairs);

const dense = (x, name) => tf.add(tf.matMul(x, p[`${name}.weight`]), p[`${name}.bias`]);
function norm(x, name) {
  const { mean, variance } = tf.moments(x, -1, true);
  const scaled = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(scaled, p[`${name}.weight`]), p[`${name}.bias`]);
}
const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
const split = (x) => tf.transpose(tf.reshape(x, [sequences, sequenceLength, heads, headSize]), [0, 2, 1, 3]);

function loss() {
  const words = tf.gather(p['embeddings.word_embeddings.weight'], ids);
  const positions = tf.slice(
    p['embeddings.position_embeddings.weight'],
    [0, 0],
    [sequenceLength, hiddenSize],
  );
  const types = tf.slice(p['embeddings.token_type_embeddings.weight'], [0, 0], [1, hiddenSize]);
  const shaped = tf.reshape(words, [sequences, sequenceLength, hiddenSize]);
  const embedded = tf.add(tf.add(shaped, positions), types);
  let x = norm(tf.reshape(embedded, [sequences * sequenceLength, hiddenSize]), 'embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const name = `encoder.layer.${layer}`;
    const query = split(dense(x, `${name}.attention.self.query`));
    const key = split(dense(x, `${name}.attention.self.key`));
    const value = split(dense(x, `${name}.attention.self.value`));
    const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(headSize));
    const mixed = tf.transpose(tf.matMul(tf.softmax(scores), value), [0, 2, 1, 3]);
    const attended = dense(
      tf.reshape(mixed, [sequences * sequenceLength, hiddenSize]),
      `${name}.attention.output.dense`,
    );
    x = norm(tf.add(attended, x), `${name}.attention.output.LayerNorm`);
    const activated = gelu(dense(x, `${name}.intermediate.dense`));
    x = norm(tf.add(dense(activated, `${name}.output.dense`), x), `${name}.output.LayerNorm`);
  }
  const pooled = tf.mean(tf.reshape(x, [sequences, sequenceLength, hiddenSize]), 1);
  const embeddings = tf.div(pooled, tf.sqrt(tf.sum(tf.square(pooled), -1, true)));
  const queries = tf.slice(embeddings, [0, 0], [pairs, hiddenSize]);
  const passages = tf.slice(embeddings, [pairs, 0], [pairs, hiddenSize]);
  const similarity = tf.div(tf.matMul(queries, passages, false, true), temperature);
  return tf.div(tf.sum(tf.mul(tf.logSoftmax(similarity), diagonal)), -pairs);
}

const optimizer = tf.train.sgd(learningRate);
const { values, seconds, coldStartSeconds, cpuSeconds } = await repeat(async () => {
  const value = tf.tidy(() => optimizer.minimize(loss, true));
  const [number] = await value.data();
  value.dispose();
  return number;
}, repeatArguments(process.argv));
console.log(
  JSON.stringify({
    library: 'tfjs',
    version: `${tf.version_core}, webgpu ${versionOf('webgpu')}`,
    driver: await driverName(),
    seconds,
    cold_start_seconds: coldStartSeconds,
    weights_seconds: weightsSeconds,
    cpu_seconds: cpuSeconds,
    loss: fallingLoss(values),
  }),
);
process.exit(0);
