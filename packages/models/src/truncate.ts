/** Embeddings cut to their first numbers, for models that were trained for it. */
import { ModelError } from './errors.js';

/**
 * The first `to` numbers of each row, of length 1 again where the rows were.
 *
 * As sentence-transformers' `truncate_dim`, with its `normalize_embeddings` where the model ends with a
 * normalisation.
 *
 * @param vectors [rows, from]
 * @returns [rows, to]
 */
export function truncateRows(
  vectors: Float32Array,
  from: number,
  to: number,
  normalize: boolean,
): Float32Array {
  const rows = vectors.length / from;
  const cut = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) {
    const first = vectors.subarray(row * from, row * from + to);
    const length = normalize ? Math.sqrt(first.reduce((sum, value) => sum + value * value, 0)) : 1;
    const scale = 1 / Math.max(length, 1e-12);
    for (let i = 0; i < to; i++) cut[row * to + i] = (first[i] as number) * scale;
  }
  return cut;
}

/**
 * Checks a length that embeddings are to be cut to.
 *
 * @throws ModelError `INPUT_MODEL` where the model's embeddings do not have that many numbers
 */
export function checkDimension(wanted: number, dimension: number): void {
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= dimension) return;
  throw new ModelError(
    'INPUT_MODEL',
    `dimension ${wanted}: the model's embeddings have ${dimension} numbers; give 1 to ${dimension}`,
  );
}
