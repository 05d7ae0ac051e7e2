/** The encoder layer of `workload.ts` in standard ONNX operators, as exporters write it. */
import { type OnnxNode, type OnnxTensor, onnxModel } from './onnx-model.js';
import { workloadWeights } from './weights.js';
import { encoder, layerSequences, sequenceLength } from './workload.js';

/** The model; input `x` and output `y`, both [sequences, tokens, hidden]. */
export async function onnxLayer(): Promise<Uint8Array> {
  const prefix = 'encoder.layer.0.';
  const weights = await workloadWeights(true, (name) => name.startsWith(prefix));
  const initializers: OnnxTensor[] = [...weights.values()].map(({ name, shape, data }) => ({
    name: name.slice(prefix.length),
    shape,
    data,
  }));
  const integers = (name: string, values: readonly number[]) =>
    initializers.push({ name, shape: [values.length], data: BigInt64Array.from(values, BigInt) });
  const nodes: OnnxNode[] = [];
  const add = (
    type: string,
    inputs: readonly string[],
    output: string,
    attributes?: OnnxNode['attributes'],
  ): string => {
    nodes.push({ type, inputs, outputs: [output], ...(attributes ? { attributes } : {}) });
    return output;
  };
  const dense = (x: string, name: string) =>
    add('Add', [add('MatMul', [x, `${name}.weight`], `${name} product`), `${name}.bias`], `${name} output`);
  const norm = (x: string, residual: string, name: string, output = `${name} output`) =>
    add(
      'LayerNormalization',
      [add('Add', [x, residual], `${name} sum`), `${name}.weight`, `${name}.bias`],
      output,
      {
        axis: { int: 2 },
        epsilon: { float: encoder.layerNormEpsilon },
      },
    );

  const headSize = encoder.hiddenSize / encoder.heads;
  integers('split heads', [layerSequences, sequenceLength, encoder.heads, headSize]);
  integers('join heads', [layerSequences, sequenceLength, encoder.hiddenSize]);
  initializers.push({ name: 'scale', shape: [], data: Float32Array.of(1 / Math.sqrt(headSize)) });
  const heads = (x: string, permutation: readonly number[]) =>
    add('Transpose', [add('Reshape', [x, 'split heads'], `${x} split`)], `${x} heads`, {
      perm: { ints: permutation },
    });
  const query = heads(dense('x', 'attention.self.query'), [0, 2, 1, 3]);
  const key = heads(dense('x', 'attention.self.key'), [0, 2, 3, 1]);
  const value = heads(dense('x', 'attention.self.value'), [0, 2, 1, 3]);
  const scores = add('Mul', [add('MatMul', [query, key], 'products'), 'scale'], 'scores');
  const mixed = add(
    'MatMul',
    [add('Softmax', [scores], 'probabilities', { axis: { int: 3 } }), value],
    'mixed',
  );
  const joined = add(
    'Reshape',
    [add('Transpose', [mixed], 'mixed tokens', { perm: { ints: [0, 2, 1, 3] } }), 'join heads'],
    'context',
  );
  const middle = norm(dense(joined, 'attention.output.dense'), 'x', 'attention.output.LayerNorm');
  const activated = add('Gelu', [dense(middle, 'intermediate.dense')], 'gelu output');
  norm(dense(activated, 'output.dense'), middle, 'output.LayerNorm', 'y');
  const shape = [layerSequences, sequenceLength, encoder.hiddenSize];
  return onnxModel({ nodes, initializers, input: { name: 'x', shape }, output: { name: 'y', shape } });
}
