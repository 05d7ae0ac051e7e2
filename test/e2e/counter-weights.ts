/**
 * Weights from a counter: a formula of name and index that JavaScript and NumPy compute alike, bit for
 * bit, so that a model of any size needs no file. The other half: ../fixtures/make_xlmr_base_loss.py.
 */
import type { ParameterSpec, ReadRows } from '@synglot/nn';

/**
 * Rows of parameters. With `index` an element's row-major index, modulo 2^32:
 *
 *     x = index * 0x9e3779b1 + fnv1a32(name)
 *     x ^= x >> 16;  x *= 0x85ebca6b;  x ^= x >> 13;  x *= 0xc2b2ae35;  x ^= x >> 16
 *     value = ((x >> 8) - 2^23) * 2^-28
 *
 * so -1/32 <= value < 1/32, and every value is exact in float32. LayerNorm weights are 1 instead.
 */
export function counterWeights(specs: readonly ParameterSpec[]): ReadRows {
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  return async (name, begin, end) => {
    const shape = shapes.get(name);
    if (!shape) throw new RangeError(`no parameter '${name}'`);
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    const values = new Float32Array((end - begin) * columns);
    if (name.endsWith('LayerNorm.weight')) return values.fill(1);
    let counter = (Math.imul(begin * columns, 0x9e3779b1) + fnv1a(name)) | 0;
    for (let i = 0; i < values.length; i++) {
      let x = counter;
      x ^= x >>> 16;
      x = Math.imul(x, 0x85ebca6b);
      x ^= x >>> 13;
      x = Math.imul(x, 0xc2b2ae35);
      x ^= x >>> 16;
      values[i] = ((x >>> 8) - 0x800000) * 2 ** -28;
      counter = (counter + 0x9e3779b1) | 0;
    }
    return values;
  };
}

/** FNV-1a, 32 bits, of an ASCII name. */
function fnv1a(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}
