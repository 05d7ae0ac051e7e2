/**
 * Freezing schedules: which parameters are trained in which updates. A run is cut into phases; nothing
 * changes within a phase, and each but the first begins from a checkpoint, as a resumed run does.
 */
import { matchesPattern, type ParameterSpec } from '@synglot/nn';
import { mistakeAt } from './config/places.js';
import type { TrainConfig } from './config.js';
import { checkPatterns } from './parameter-names.js';
import type { TrainerState } from './trainer.js';

/** Updates [begin, end) of a run, counted from 0. */
export interface Phase {
  readonly begin: number;
  readonly end: number;
  /** The model's parameters; those that are frozen are marked. */
  readonly specs: readonly ParameterSpec[];
  /** For each trained parameter that was frozen before: how many updates the run had made when its training began. */
  readonly updatesBefore: Readonly<Record<string, number>>;
}

/**
 * The phases of a run, in order; a single one if nothing is frozen only for a time.
 *
 * A parameter that is trained again after it was frozen starts with moments of zero and its own count of
 * updates, as in torch.optim a parameter does that gets its first gradient.
 *
 * @throws TrainError `INPUT_CONFIG` for a pattern that names nothing, and if a phase trains nothing
 */
export function freezingPhases({ training }: TrainConfig, specs: readonly ParameterSpec[]): Phase[] {
  const { steps, freeze = [] } = training;
  const names = specs.map(({ name }) => name);
  for (const [index, entry] of freeze.entries()) {
    checkPatterns(`training.freeze.${index}`, entry, names);
    const { from, until } = entry;
    if (until !== undefined && until <= from) {
      throw mistakeAt(entry, 'until', `training.freeze.${index}: until ${until} is not after from ${from}`);
    }
  }
  const borders = freeze.flatMap(({ from, until }) => (until === undefined ? [from] : [from, until]));
  const begins = [...new Set([0, ...borders.filter((border) => border < steps)])].sort((a, b) => a - b);
  const trainedSince = new Map<string, number>();
  return begins.map((begin, index) => {
    const end = begins[index + 1] ?? steps;
    const active = freeze.filter(
      ({ from, until = Number.POSITIVE_INFINITY }) => from <= begin && begin < until,
    );
    const isFrozen = (name: string) =>
      active.some(({ parameters }) => parameters.some((pattern) => matchesPattern(pattern, name)));
    const marked = specs.map((spec) => (isFrozen(spec.name) ? { ...spec, trainable: false } : spec));
    const updatesBefore: Record<string, number> = {};
    for (const { name, trainable = true } of marked) {
      if (!trainable) trainedSince.delete(name);
      else if (!trainedSince.has(name)) trainedSince.set(name, begin);
      const since = trainedSince.get(name) ?? 0;
      if (trainable && since > 0) updatesBefore[name] = since;
    }
    if (marked.every(({ trainable = true }) => !trainable)) {
      throw mistakeAt(
        training,
        'freeze',
        `training.freeze: every parameter is frozen in updates ${begin + 1} to ${end}; leave some to be trained`,
      );
    }
    return { begin, end, specs: marked, updatesBefore };
  });
}

/**
 * How many updates mixed precision had skipped when the run reached each border so far, by border; undefined in full
 * precision and before the first border.
 *
 * @param state of the checkpoint that the phase continues from
 */
export function skippedBefore(
  { begin }: Phase,
  state: Pick<TrainerState, 'step' | 'loss_scale' | 'skipped_before'> | undefined,
): Readonly<Record<string, number>> | undefined {
  const { step, loss_scale: scale, skipped_before: known } = state ?? {};
  return scale && begin > 0 && step === begin ? { ...known, [begin]: scale.skipped } : known;
}

/** `updatesBefore` as an optimiser counts: without the updates that were skipped. */
export function countedBefore(
  { updatesBefore }: Phase,
  skipped: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const counted = Object.entries(updatesBefore).map(([name, since]) => [name, since - (skipped[since] ?? 0)]);
  return Object.fromEntries(counted);
}

/** The phase of the update that follows `done` updates; after the last one, the last phase. */
export function phaseAt(phases: readonly Phase[], done: number): Phase {
  return phases.find(({ end }) => done < end) ?? (phases.at(-1) as Phase);
}
