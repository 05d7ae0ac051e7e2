/** The forward pass of one layer in onnxruntime-node's WebGPU provider; prints a line of JSON. */
import { createRequire } from 'node:module';
import { probeOf, repeat, repeatArguments } from '../dist/child.js';
import { onnxLayer } from '../dist/onnx-layer.js';
import { encoder, layerInput, layerSequences, sequenceLength } from '../dist/workload.js';

const require = createRequire(import.meta.url);
const ort = require('onnxruntime-node');
if (!ort.listSupportedBackends().some(({ name }) => name === 'webgpu')) {
  throw new Error('this build of onnxruntime-node has no WebGPU provider');
}
const weightsBegin = performance.now();
const model = await onnxLayer();
const weightsSeconds = (performance.now() - weightsBegin) / 1000;
const session = await ort.InferenceSession.create(model, {
  executionProviders: ['webgpu'],
  graphOptimizationLevel: 'all',
  // A node that fell back to the CPU would make the comparison meaningless.
  extra: { session: { disable_cpu_ep_fallback: '1' } },
});
const x = new ort.Tensor('float32', layerInput(), [layerSequences, sequenceLength, encoder.hiddenSize]);
let output = new Float32Array();
const { seconds, coldStartSeconds, cpuSeconds } = await repeat(async () => {
  const { y } = await session.run({ x });
  output = y.data;
  return output[0];
}, repeatArguments(process.argv));
console.log(
  JSON.stringify({
    library: 'onnxruntime-node (webgpu)',
    version: ort.env.versions.node ?? ort.env.versions.common,
    driver: 'its own Dawn on the driver of the environment',
    seconds,
    cold_start_seconds: coldStartSeconds,
    weights_seconds: weightsSeconds,
    cpu_seconds: cpuSeconds,
    probe: probeOf(output),
  }),
);
process.exit(0);
