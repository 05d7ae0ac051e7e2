// A plan of one's own: y = tanh(x · Wᵀ + b) and the gradients of sum(y), compiled once, run with new data.
import { openExecutor } from '@synglot/gpu/node';
import { Graph, linear, ParameterStore, packStep, tanh } from '@synglot/nn';

const [rows, into, out] = [3, 8, 4];
const executor = await openExecutor();

// Weights and gradients live on the device; a plan refers to them by name.
const store = new ParameterStore(executor, [
  { name: 'dense.weight', shape: [out, into] },
  { name: 'dense.bias', shape: [out] },
]);
const wave = (length, step) => Float32Array.from({ length }, (_, i) => Math.sin(i * step) / 2);
const weight = wave(out * into, 0.7);
const bias = wave(out, 1.3);
await store.load('parameter', async (name, begin, end) =>
  name === 'dense.weight' ? weight.slice(begin * into, end * into) : bias.slice(begin, end),
);
store.allocate('gradient');

// Ops emit their forward dispatches; `backward` emits the gradient's. There is no autodiff behind it.
const g = new Graph('tanh of a linear layer', store.layout, true);
// Rows up to the capacity; how many of them a run has comes with the step.
const axis = { capacity: 16, slot: 'tokens' };
const x = { tensor: g.plan.feed('x', [axis.capacity, into], 'f32'), axis, columns: into };
const dY = { tensor: g.plan.feed('d y', [axis.capacity, out], 'f32'), axis, columns: out };
for (const name of ['dense.weight', 'dense.bias']) g.plan.clear(g.gradient(name));
const hidden = linear(g, x, 'dense', 'dense');
const y = tanh(g, hidden.output, 'tanh');
hidden.backward(y.backward(dY));
g.plan.copy(y.output.tensor, g.plan.result('y', [axis.capacity, out]));
const plan = g.plan.build();
console.log(`${plan.commands.length} commands, ${plan.kernels.length} kernels, on ${executor.device.name}`);

const compiled = await executor.compile(plan, store.externals);
const input = wave(rows * into, 0.37);
const { reads } = await compiled.run({
  feeds: {
    x: input,
    'd y': new Float32Array(rows * out).fill(1),
    step: packStep({ counts: { tokens: rows } }),
  },
  reads: ['y'],
});
const result = new Float32Array(reads.y);

// The same in plain JavaScript.
let worst = 0;
const dBias = new Float64Array(out);
for (let r = 0; r < rows; r++) {
  for (let o = 0; o < out; o++) {
    let sum = bias[o];
    for (let i = 0; i < into; i++) sum += input[r * into + i] * weight[o * into + i];
    const expected = Math.tanh(sum);
    worst = Math.max(worst, Math.abs(result[r * out + o] - expected));
    dBias[o] += 1 - expected ** 2;
  }
}
const gradient = await store.read('gradient', 'dense.bias');
const worstGradient = Math.max(...gradient.map((value, o) => Math.abs(value - dBias[o])));
console.log(
  `largest difference from JavaScript: y ${worst.toExponential(1)}, d bias ${worstGradient.toExponential(1)}`,
);
console.log(`agrees: ${worst < 1e-5 && worstGradient < 1e-5}`);

compiled.destroy();
store.destroy();
executor.destroy();
