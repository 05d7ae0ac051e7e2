/**
 * What is resampled: the per-query values of one figure, in cells (languages, or pairs of them) whose means
 * are averaged, and the units that are drawn together. Not a test: see `bootstrap.ts`, `randomisation.ts`.
 */
import { EvaluationError } from '../errors.js';

/** Values of the queries of one cell, each belonging to a unit. */
export interface Cell {
  readonly name: string;
  readonly values: Float64Array;
  /** Per value: the index of its unit. */
  readonly units: Uint32Array;
}

/**
 * One figure as a macro mean: the mean over cells of the mean over each cell's values. A plain mean has one
 * cell. Translations of one question share a unit, because their values are not independent.
 */
export interface MacroSample {
  readonly cells: readonly Cell[];
  /** Number of units. */
  readonly units: number;
  /** Their names: systems are paired by them. */
  readonly names: readonly string[];
  /** Units by stratum, each drawn from within its own; one array of all when there are no strata. */
  readonly strata: readonly Uint32Array[];
}

/** One value with what it belongs to; see {@link sampleOf}. */
export interface Observation {
  readonly value: number;
  /** Name of the cell whose mean it enters. */
  readonly cell: string;
  /** Name of what is drawn as one: the question, where translations of it are among the queries. */
  readonly unit: string;
  /** Name of what units are drawn from within: the query's language, where questions are not shared. */
  readonly stratum?: string;
}

/**
 * Groups observations into a sample. Cells and units are numbered in the order in which they occur, so two
 * systems' samples of the same queries match unit by unit.
 *
 * @throws EvaluationError `INPUT_SIGNIFICANCE` for no observation, or a value that is not finite
 */
export function sampleOf(observations: Iterable<Observation>): MacroSample {
  const unitIndices = new Map<string, number>();
  const strata = new Map<string, number[]>();
  const cells = new Map<string, { values: number[]; units: number[] }>();
  for (const { value, cell, unit, stratum = '' } of observations) {
    if (!Number.isFinite(value)) {
      throw new EvaluationError(
        'INPUT_SIGNIFICANCE',
        `The value of "${unit}" in "${cell}" is ${value}, expected a finite number.`,
      );
    }
    const key = `${stratum}\n${unit}`;
    let index = unitIndices.get(key);
    if (index === undefined) {
      index = unitIndices.size;
      unitIndices.set(key, index);
      const members = strata.get(stratum);
      if (members === undefined) strata.set(stratum, [index]);
      else members.push(index);
    }
    let entry = cells.get(cell);
    if (entry === undefined) {
      entry = { values: [], units: [] };
      cells.set(cell, entry);
    }
    entry.values.push(value);
    entry.units.push(index);
  }
  if (cells.size === 0) throw new EvaluationError('INPUT_SIGNIFICANCE', 'There is no value to resample.');
  return {
    cells: Array.from(cells, ([name, { values, units }]) => ({
      name,
      values: Float64Array.from(values),
      units: Uint32Array.from(units),
    })),
    units: unitIndices.size,
    names: [...unitIndices.keys()],
    strata: [...strata.values()].map((members) => Uint32Array.from(members)),
  };
}

/** The sample of a plain mean: one cell, every value its own unit. */
export function plainSample(values: ArrayLike<number>): MacroSample {
  return sampleOf(Array.from(values, (value, index) => ({ value, cell: 'all', unit: String(index) })));
}

/** The figure itself; with `weights` per unit, a cell whose weights are all 0 is left out. */
export function macroMean(sample: MacroSample, weights?: ArrayLike<number>): number {
  let total = 0;
  let counted = 0;
  for (const { values, units } of sample.cells) {
    let sum = 0;
    let weight = 0;
    for (let i = 0; i < values.length; i++) {
      const times = weights === undefined ? 1 : weights[units[i]!]!;
      sum += times * values[i]!;
      weight += times;
    }
    if (weight === 0) continue;
    total += sum / weight;
    counted++;
  }
  return total / counted;
}

/** Whether both have values of the same units in the same cells, so that they can be paired. */
function arePaired(a: MacroSample, b: MacroSample): boolean {
  const same = <T>(one: ArrayLike<T>, other: ArrayLike<T>) =>
    one.length === other.length && Array.prototype.every.call(one, (item, i) => item === other[i]);
  return (
    same(a.names, b.names) &&
    a.cells.length === b.cells.length &&
    a.cells.every(({ name, units }, i) => name === b.cells[i]!.name && same(units, b.cells[i]!.units))
  );
}

/**
 * Per-query differences a - b as a sample.
 *
 * @throws EvaluationError `INPUT_SIGNIFICANCE` unless both samples have the same cells and units
 */
export function differences(a: MacroSample, b: MacroSample): MacroSample {
  if (!arePaired(a, b)) {
    throw new EvaluationError(
      'INPUT_SIGNIFICANCE',
      'The two systems were not measured on the same queries, which a paired test needs.',
    );
  }
  const cells = a.cells.map((cell, i) => ({
    ...cell,
    values: cell.values.map((value, j) => value - b.cells[i]!.values[j]!),
  }));
  return { ...a, cells };
}
