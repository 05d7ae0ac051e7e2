/** Corrections of p-values for many comparisons made at once. */
import { EvaluationError } from '../errors.js';

/** Names of the corrections. */
export type Correction = 'holm' | 'benjamini-hochberg' | 'none';

/**
 * Adjusted p-values, in the order given; reject where one is below the level wanted.
 *
 * `holm` bounds the chance of any false rejection (Holm 1979), `benjamini-hochberg` the share of false ones
 * among the rejections (Benjamini and Hochberg 1995; for independent or positively dependent tests).
 *
 * @throws EvaluationError `INPUT_SIGNIFICANCE` for a value outside [0, 1]
 */
export function adjusted(p: readonly number[], correction: Correction): number[] {
  const bad = p.find((value) => !(value >= 0 && value <= 1));
  if (bad !== undefined) {
    throw new EvaluationError(
      'INPUT_SIGNIFICANCE',
      `${bad} is not a p-value, expected a number from 0 to 1.`,
    );
  }
  if (correction === 'none') return [...p];
  const ascending = [...p.keys()].sort((a, b) => p[a]! - p[b]!);
  const result = new Array<number>(p.length);
  if (correction === 'holm') {
    let highest = 0;
    for (const [i, index] of ascending.entries()) {
      highest = Math.max(highest, Math.min(1, (p.length - i) * p[index]!));
      result[index] = highest;
    }
  } else {
    let lowest = 1;
    for (let i = ascending.length - 1; i >= 0; i--) {
      lowest = Math.min(lowest, (p.length / (i + 1)) * p[ascending[i]!]!);
      result[ascending[i]!] = lowest;
    }
  }
  return result;
}
