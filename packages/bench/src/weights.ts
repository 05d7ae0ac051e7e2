/** The weights and inputs that synglot and its peers are given: the same values on every side. */
import { encoderParameters, freshParameters } from '@synglot/nn';
import { encoder, pooling } from './workload.js';

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * All parameters of the workload's encoder, seed 0.
 *
 * @param transpose matrices of linear layers as [in, out], as jax-js, tfjs and ONNX like them,
 * instead of PyTorch's [out, in]
 */
export async function workloadWeights(
  transpose: boolean,
  wanted: (name: string) => boolean = () => true,
): Promise<Map<string, Weight>> {
  const specs = encoderParameters(encoder, pooling).filter(({ name }) => wanted(name));
  const read = freshParameters(encoder, specs, 0);
  const weights = new Map<string, Weight>();
  for (const { name, shape } of specs) {
    const data = await read(name, 0, shape[0] as number);
    const isLinear = shape.length === 2 && name.startsWith('encoder.');
    weights.set(name, transpose && isLinear ? transposed(name, shape, data) : { name, shape, data });
  }
  return weights;
}

function transposed(name: string, shape: readonly number[], data: Float32Array): Weight {
  const [rows, columns] = shape as [number, number];
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column] as number;
  }
  return { name, shape: [columns, rows], data: result };
}
