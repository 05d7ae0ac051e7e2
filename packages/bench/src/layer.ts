/**
 * One encoder layer forward with synglot, as a process that prints one line of JSON for `peers.ts`.
 *
 *   node packages/bench/dist/layer.js --device lavapipe [--executor native] [--runs 10]
 */
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import { encoderLayer, encoderParameters, Graph, ParameterStore, packStep } from '@synglot/nn';
import { type ChildResult, probeOf, repeat, repeatArguments } from './child.js';
import { libraryVersion } from './results.js';
import { workloadWeights } from './weights.js';
import { encoder, layerInput, layerTokens, pooling, sequenceLength } from './workload.js';

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    runs: { type: 'string', default: '10' },
    'warm-ups': { type: 'string', default: '2' },
  },
});
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const specs = encoderParameters(encoder, pooling).filter(({ name }) => name.startsWith('encoder.layer.0.'));
const store = new ParameterStore(executor, specs);
const weightsBegin = performance.now();
const weights = await workloadWeights(false, (name) => name.startsWith('encoder.layer.0.'));
const weightsSeconds = (performance.now() - weightsBegin) / 1000;
await store.load('parameter', async (name, begin, end) => {
  const { data, shape } = weights.get(name) as { data: Float32Array; shape: readonly number[] };
  const columns = data.length / (shape[0] as number);
  return data.subarray(begin * columns, end * columns);
});

const g = new Graph('one layer', store.layout, false, executor.device);
const axis = { capacity: layerTokens, slot: 'tokens' } as const;
const input = g.plan.feed('input', [layerTokens, encoder.hiddenSize], 'f32');
const bounds = g.plan.feed('bounds', [layerTokens, 2]);
const x = { tensor: input, axis, columns: encoder.hiddenSize };
const { output } = encoderLayer(g, x, bounds, encoder, 0);
g.plan.copy(output.tensor, g.plan.result('output', [layerTokens, encoder.hiddenSize]));
const compiled = await executor.compile(g.plan.build(), store.externals);

const feeds = {
  input: layerInput(),
  bounds: Uint32Array.from({ length: layerTokens * 2 }, (_, index) => {
    const sequence = Math.floor(index / 2 / sequenceLength);
    return (sequence + (index % 2)) * sequenceLength;
  }),
  step: packStep({ counts: { tokens: layerTokens } }),
};
let last: Float32Array = new Float32Array();
const { seconds, coldStartSeconds, cpuSeconds } = await repeat(
  async () => {
    const { reads } = await compiled.run({ feeds, reads: ['output'] });
    last = new Float32Array(reads.output as ArrayBuffer);
    return last[0] as number;
  },
  repeatArguments(['--runs', values.runs, '--warm-ups', values['warm-ups']]),
);
const measured: ChildResult = {
  library: `synglot (${executor.kind})`,
  version: libraryVersion,
  driver: `${executor.device.name}; ${executor.device.driver}`,
  seconds,
  cold_start_seconds: coldStartSeconds,
  weights_seconds: weightsSeconds,
  cpu_seconds: cpuSeconds,
  probe: probeOf(last),
};
console.log(JSON.stringify(measured));
executor.destroy();
