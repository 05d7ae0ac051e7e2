/** When to stop, and which model was best, by a validation measure. Pure; its state goes into checkpoints. */

/** When to stop, and what counts as better. */
export interface StoppingOptions {
  readonly better: 'lower' | 'higher';
  /** A value counts as better if it is better by more than this. */
  readonly minDelta: number;
  /** Validations in a row without a better value after which to stop; by default never. */
  readonly patience?: number;
}

/** Plain JSON. */
export interface StoppingState {
  readonly best_step: number;
  readonly best_value: number;
  /** Validations since the best one. */
  readonly since_best: number;
}

/** Counts as transformers' EarlyStoppingCallback and Keras' EarlyStopping do. */
export class EarlyStopping {
  readonly #options: StoppingOptions;
  #state: StoppingState | undefined;

  constructor(options: StoppingOptions) {
    this.#options = options;
  }

  /** Counts a validation; returns whether it is the best so far, which what is no number never is. */
  add(step: number, value: number): boolean {
    const best = this.#state;
    const { better, minDelta } = this.#options;
    if (best === undefined && Number.isNaN(value)) return false;
    const gain = best === undefined ? Number.POSITIVE_INFINITY : value - best.best_value;
    if (best === undefined || (better === 'higher' ? gain : -gain) > minDelta) {
      this.#state = { best_step: step, best_value: value, since_best: 0 };
      return true;
    }
    this.#state = { ...best, since_best: best.since_best + 1 };
    return false;
  }

  /** Whether the patience is exhausted. */
  get stopped(): boolean {
    return (this.#state?.since_best ?? 0) >= (this.#options.patience ?? Number.POSITIVE_INFINITY);
  }

  /** Undefined before the first validation. */
  state(): StoppingState | undefined {
    return this.#state;
  }

  /** Goes on from a checkpoint. */
  restore(state: StoppingState | undefined): void {
    this.#state = state;
  }
}
