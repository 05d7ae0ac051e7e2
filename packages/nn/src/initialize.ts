/** Fresh weights, as transformers initialises BERT: normal matrices, zero biases, unit layer norms. */
import { fillAdapterRow } from './adapters/initialize.js';
import { isAdapterParameter } from './adapters/parameters.js';
import type { EncoderConfig } from './encoder/config.js';
import type { ReadRows } from './parameter-store.js';
import type { ParameterSpec } from './parameters.js';
import { fillNormal, normalStream, uniformStream } from './random-normal.js';

/**
 * Rows of freshly initialised parameters. They are a pure function of seed, name and row, so it does
 * not matter in which pieces a table is loaded.
 */
export function freshParameters(
  config: EncoderConfig,
  specs: readonly ParameterSpec[],
  seed: number,
): ReadRows {
  const shapes = new Map(specs.map((spec) => [spec.name, spec.shape]));
  return async (name, begin, end) => {
    const shape = shapes.get(name);
    if (!shape) throw new RangeError(`The model has no parameter '${name}'`);
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    const data = new Float32Array((end - begin) * columns);
    if (name.endsWith('LayerNorm.weight')) return data.fill(1);
    if (name.endsWith('.bias')) return data;
    const nameSeed = hashText(name) ^ seed;
    if (isAdapterParameter(name)) {
      const live = config.adapter?.kind === 'lora' ? config.adapter.rank : (shape[0] as number);
      for (let row = begin; row < Math.min(end, live); row++) {
        const values = data.subarray((row - begin) * columns, (row - begin + 1) * columns);
        const random = { uniform: uniformStream(nameSeed, row), normal: normalStream(nameSeed, row) };
        fillAdapterRow(name, values, random);
      }
      return data;
    }
    for (let row = begin; row < end; row++) {
      const offset = (row - begin) * columns;
      fillNormal(data, offset, offset + columns, nameSeed, row, config.initializerRange);
    }
    return data;
  };
}

/**
 * Initial values of a parameter outside the encoder: normal numbers with a variance of 1 / inputs for
 * weights, zeros for biases; a pure function of seed and name.
 */
export function freshMatrix({ name, shape }: ParameterSpec, seed: number): Float32Array {
  const [rows = 1, columns = 1] = shape as [number, number?];
  const values = new Float32Array(rows * columns);
  if (shape.length < 2) return values;
  for (let row = 0; row < rows; row++) {
    const random = normalStream(hashText(name) ^ seed, row);
    for (let i = 0; i < columns; i++) values[row * columns + i] = random() / Math.sqrt(columns);
  }
  return values;
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
