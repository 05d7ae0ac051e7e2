/**
 * The first two principal components, for a map of embeddings. Not a general decomposition: block power
 * iteration (Halko, Martinsson, Tropp 2011, arXiv 0909.4061, section 4.5) on the centred matrix, which is
 * never squared, so that 4,000 × 1,024 takes about a second.
 */

/** Result of {@link principalPlane}. */
export interface PrincipalPlane {
  /** `rows × 2`, centred; unit of the embeddings. */
  readonly points: Float64Array;
  /** Shares of the variance, greatest first. */
  readonly explained: readonly [number, number];
}

const block = 6;
const mostIterations = 60;
const tolerance = 1e-7;

/**
 * Projects rows onto their first two principal components. The sign of a component is chosen so that its
 * largest weight is positive; the same input gives the same output.
 *
 * @param data - row-major `rows × columns`, finite
 */
export function principalPlane(data: ArrayLike<number>, rows: number, columns: number): PrincipalPlane {
  const centred = centre(data, rows, columns);
  let total = 0;
  for (const value of centred) total += value * value;
  const points = new Float64Array(rows * 2);
  if (total === 0) return { points, explained: [0, 0] };

  const width = Math.min(block, rows, columns);
  let basis = orthonormal(start(columns, width), columns, width);
  let previous = 0;
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    const projected = multiply(centred, basis, rows, columns, width);
    let captured = 0;
    for (const value of projected) captured += value * value;
    basis = orthonormal(multiplyTransposed(centred, projected, rows, columns, width), columns, width);
    if (Math.abs(captured - previous) <= tolerance * total) break;
    previous = captured;
  }
  const projected = multiply(centred, basis, rows, columns, width);
  const { values, vectors } = symmetricEigen(gram(projected, rows, width), width);
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!);
  const explained: [number, number] = [0, 0];
  for (const axis of [0, 1] as const) {
    const column = order[axis];
    if (column === undefined) continue;
    explained[axis] = Math.max(0, values[column]!) / total;
    const sign = signOf(basis, vectors, columns, width, column);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += projected[row * width + k]! * vectors[k * width + column]!;
      points[row * 2 + axis] = sign * sum;
    }
  }
  return { points, explained };
}

function centre(data: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const mean = new Float64Array(columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) mean[column]! += data[row * columns + column]! / rows;
  const centred = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      centred[row * columns + column] = data[row * columns + column]! - mean[column]!;
  return centred;
}

/** Fixed, spread-out directions: no random numbers, so the page is the same each time. */
function start(columns: number, width: number): Float64Array {
  return Float64Array.from({ length: columns * width }, (_, i) => Math.sin(1 + i * 12.9898) + 1e-3 * (i % 7));
}

/** `a [rows, columns] · b [columns, width]`. */
function multiply(a: Float64Array, b: Float64Array, rows: number, columns: number, width: number) {
  const product = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const value = a[row * columns + column]!;
      for (let k = 0; k < width; k++) product[row * width + k]! += value * b[column * width + k]!;
    }
  return product;
}

/** `aᵀ [columns, rows] · b [rows, width]`. */
function multiplyTransposed(a: Float64Array, b: Float64Array, rows: number, columns: number, width: number) {
  const product = new Float64Array(columns * width);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const value = a[row * columns + column]!;
      for (let k = 0; k < width; k++) product[column * width + k]! += value * b[row * width + k]!;
    }
  return product;
}

/** Gram–Schmidt, twice; a column that vanishes stays zero. */
function orthonormal(matrix: Float64Array, rows: number, width: number): Float64Array {
  const result = matrix.slice();
  for (let k = 0; k < width; k++) {
    let before = 0;
    for (let row = 0; row < rows; row++) before += result[row * width + k]! ** 2;
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < k; j++) {
        let dot = 0;
        for (let row = 0; row < rows; row++) dot += result[row * width + k]! * result[row * width + j]!;
        for (let row = 0; row < rows; row++) result[row * width + k]! -= dot * result[row * width + j]!;
      }
    let norm = 0;
    for (let row = 0; row < rows; row++) norm += result[row * width + k]! ** 2;
    const factor = norm > 1e-24 * before && norm > 0 ? 1 / Math.sqrt(norm) : 0;
    for (let row = 0; row < rows; row++) result[row * width + k]! *= factor;
  }
  return result;
}

function gram(matrix: Float64Array, rows: number, width: number): Float64Array {
  return multiplyTransposed(matrix, matrix, rows, width, width);
}

/** Jacobi rotations; eigenvectors are columns. */
function symmetricEigen(matrix: Float64Array, size: number) {
  const a = matrix.slice();
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  return { values: Array.from({ length: size }, (_, i) => a[i * size + i]!), vectors };
}

function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turn = (target: Float64Array, first: number, second: number) => {
    const [x, y] = [target[first]!, target[second]!];
    target[first] = c * x - s * y;
    target[second] = s * x + c * y;
  };
  for (let i = 0; i < size; i++) turn(a, i * size + p, i * size + q);
  for (let i = 0; i < size; i++) turn(a, p * size + i, q * size + i);
  for (let i = 0; i < size; i++) turn(vectors, i * size + p, i * size + q);
}

function signOf(basis: Float64Array, vectors: Float64Array, columns: number, width: number, axis: number) {
  let largest = 0;
  for (let row = 0; row < columns; row++) {
    let weight = 0;
    for (let k = 0; k < width; k++) weight += basis[row * width + k]! * vectors[k * width + axis]!;
    if (Math.abs(weight) > Math.abs(largest) * (1 + 1e-9)) largest = weight;
  }
  return largest < 0 ? -1 : 1;
}
