/** Float64 references that several kernel tests share. Plain loops, no cleverness. */
import { dropoutFactor, dropoutKey } from '@synglot/nn';

/** Error function in double precision: Maclaurin series below 3, continued fraction above. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

/** Factors of one dropout site for a matrix [rows, columns], from the TypeScript twin of the mask. */
export function dropoutMatrix(
  rows: number,
  columns: number,
  { seed, site, rate }: { readonly seed: number; readonly site: number; readonly rate: number },
): Float64Array {
  const factors = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const key = dropoutKey(seed, site, row);
    for (let column = 0; column < columns; column++) {
      factors[row * columns + column] = dropoutFactor(
        key,
        column,
        Math.round(rate * 2 ** 32),
        1 / (1 - rate),
      );
    }
  }
  return factors;
}

/** (first, end) of each token's own sequence, for packed sequences of these lengths. */
export function boundsOf(lengths: readonly number[]): [number, number][] {
  let begin = 0;
  return lengths.flatMap((length) => {
    const range: [number, number] = [begin, begin + length];
    begin += length;
    return Array.from({ length }, () => range);
  });
}

export interface AttentionProblem {
  readonly lengths: readonly number[];
  readonly heads: number;
  readonly headSize: number;
  readonly q: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly v: ArrayLike<number>;
  readonly dContext: ArrayLike<number>;
  /** Dropout on the probabilities; none when absent. */
  readonly mask?: { readonly seed: number; readonly site: number; readonly rate: number };
}

/**
 * Attention within packed sequences and its gradients by the textbook, with whole T×T matrices.
 *
 * `magnitudes` has each sum of weights × rows again, with every term's absolute value: what a relative error of the
 * weights is a share of.
 */
export function attentionReference(problem: AttentionProblem) {
  const { lengths, heads, headSize, q, k, v, dContext, mask } = problem;
  const bounds = boundsOf(lengths);
  const tokens = bounds.length;
  const size = tokens * heads * headSize;
  const scale = 1 / Math.sqrt(headSize);
  const context = new Float64Array(size);
  const logSumExp = new Float64Array(tokens * heads);
  const common = new Float64Array(tokens * heads);
  const dQ = new Float64Array(size);
  const dK = new Float64Array(size);
  const dV = new Float64Array(size);
  const magnitudes = {
    context: new Float64Array(size),
    dQ: new Float64Array(size),
    dK: new Float64Array(size),
    dV: new Float64Array(size),
  };
  const factor = (query: number, head: number, key: number) => {
    if (!mask) return 1;
    const hash = dropoutKey(mask.seed, mask.site, query * heads + head);
    const threshold = Math.round(mask.rate * 2 ** 32);
    return dropoutFactor(hash, key - (bounds[query]?.[0] as number), threshold, 1 / (1 - mask.rate));
  };
  for (let query = 0; query < tokens; query++) {
    const [begin, end] = bounds[query] as [number, number];
    const keys = Array.from({ length: end - begin }, (_, index) => begin + index);
    for (let head = 0; head < heads; head++) {
      const at = (token: number) => (token * heads + head) * headSize;
      const product = (x: ArrayLike<number>, xToken: number, y: ArrayLike<number>, yToken: number) => {
        let total = 0;
        for (let i = 0; i < headSize; i++)
          total += (x[at(xToken) + i] as number) * (y[at(yToken) + i] as number);
        return total;
      };
      const scores = keys.map((key) => scale * product(q, query, k, key));
      const maximum = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - maximum), 0);
      const lse = maximum + Math.log(total);
      const probabilities = scores.map((score) => Math.exp(score - lse));
      const factors = keys.map((key) => factor(query, head, key));
      const dKept = keys.map((key) => product(dContext, query, v, key));
      const dProbabilities = dKept.map((value, index) => value * (factors[index] as number));
      const expected = dProbabilities.reduce(
        (sum, value, i) => sum + value * (probabilities[i] as number),
        0,
      );
      logSumExp[query * heads + head] = lse;
      common[query * heads + head] = expected;
      keys.forEach((key, index) => {
        const p = probabilities[index] as number;
        const kept = p * (factors[index] as number);
        const dScore = p * ((dProbabilities[index] as number) - expected) * scale;
        const dMagnitude = Math.abs(dScore);
        for (let i = 0; i < headSize; i++) {
          magnitudes.context[at(query) + i]! += kept * Math.abs(v[at(key) + i] as number);
          magnitudes.dV[at(key) + i]! += kept * Math.abs(dContext[at(query) + i] as number);
          magnitudes.dQ[at(query) + i]! += dMagnitude * Math.abs(k[at(key) + i] as number);
          magnitudes.dK[at(key) + i]! += dMagnitude * Math.abs(q[at(query) + i] as number);
          context[at(query) + i]! += kept * (v[at(key) + i] as number);
          dV[at(key) + i]! += kept * (dContext[at(query) + i] as number);
          dQ[at(query) + i]! += dScore * (k[at(key) + i] as number);
          dK[at(key) + i]! += dScore * (q[at(query) + i] as number);
        }
      });
    }
  }
  return { context, logSumExp, common, dQ, dK, dV, magnitudes };
}
