/**
 * Splits data into a part to train on and a part held out, by a hash of the parallel id, so that all
 * translations of one question or passage fall on the same side. Not a random split: it needs no list.
 */
import { DataError } from './errors.js';
import { hashText } from './hash.js';

/**
 * Whether what has this parallel id is held out.
 *
 * Depends on nothing but its arguments: not on the order or number of rows. With the same seed a larger
 * fraction holds out everything that a smaller one does. Give the id of the *passage* where several
 * questions share one, or a held-out question's passage is trained on.
 *
 * @param fraction the share to hold out, 0 … 1
 * @param seed any safe integer
 * @throws DataError `INPUT_OPTION` where `fraction` is outside 0 … 1
 */
export function holdOut(parallelId: string, fraction: number, seed = 0): boolean {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new DataError(
      'INPUT_OPTION',
      `Expected a fraction from 0 to 1 to hold out but received ${fraction}`,
    );
  }
  return hashText(parallelId, seed) / 2 ** 53 < fraction;
}
