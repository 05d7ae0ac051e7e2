/**
 * The paired randomisation (sign flip) test: were the two systems' labels arbitrary, how often would the
 * difference be as large as it is? (Fisher 1935; Smucker, Allan and Carterette 2007 for retrieval.)
 */
import { asLargeAs, type PairedResult, type ResampleOptions, resampleCount } from './bootstrap.js';
import { seededRandom } from './random.js';
import { differences, type MacroSample } from './sample.js';

/**
 * Two-sided test that a and b are interchangeable, unit by unit: all queries of a unit change sides at once.
 *
 * With so few differing units that all combinations can be tried within `resamples`, the p-value is exact; else it
 * is at least 1 / (resamples + 1).
 */
export function randomisationTest(
  a: MacroSample,
  b: MacroSample,
  options: ResampleOptions = {},
): PairedResult {
  const resamples = resampleCount(options, 10_000);
  const all = contributions(differences(a, b));
  const difference = all.reduce((sum, value) => sum + value, 0);
  // A unit without a difference changes nothing, whichever side it is on.
  const moving = all.filter((value) => value !== 0);
  const seen = asLargeAs(
    difference,
    moving.reduce((sum, value) => sum + Math.abs(value), 0),
  );
  if (moving.length < 31 && 2 ** moving.length <= resamples) {
    let asLarge = 0;
    for (let sides = 0; sides < 2 ** moving.length; sides++) {
      let sum = 0;
      for (let i = 0; i < moving.length; i++) sum += (sides >>> i) & 1 ? moving[i]! : -moving[i]!;
      if (Math.abs(sum) >= seen) asLarge++;
    }
    return { difference, p: asLarge / 2 ** moving.length, method: 'exact randomisation' };
  }
  const random = seededRandom(options.seed ?? 0);
  let asLarge = 0;
  for (let round = 0; round < resamples; round++) {
    let sum = 0;
    for (let i = 0; i < moving.length; i++) sum += random() < 0.5 ? moving[i]! : -moving[i]!;
    if (Math.abs(sum) >= seen) asLarge++;
  }
  return { difference, p: (asLarge + 1) / (resamples + 1), method: 'randomisation' };
}

/** How much each unit adds to the macro mean: its values over the sizes of their cells. */
function contributions(sample: MacroSample): Float64Array {
  const result = new Float64Array(sample.units);
  for (const { values, units } of sample.cells) {
    const share = 1 / (sample.cells.length * values.length);
    for (let i = 0; i < values.length; i++) result[units[i]!]! += share * values[i]!;
  }
  return result;
}
