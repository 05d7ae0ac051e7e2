/**
 * Strata: the items of one data set and domain that can be drawn with the question in one language and the
 * passage in another (or the same). Each is walked in its own pseudo-random order without replacement.
 *
 * Not the choice between strata; see `tree.ts`.
 */
import { hashText } from '../hash.js';
import { Permutation } from '../permutation.js';
import type { TrainingSet } from '../training-set.js';

/** Items of one data set, domain, question language and passage language. */
export interface Stratum {
  /** Unique and independent of the order of the data. */
  readonly name: string;
  readonly dataset: number;
  readonly domain: number;
  readonly queryLanguage: number;
  readonly passageLanguage: number;
  /** Number of items. */
  readonly size: number;
  /** Indices of the items, ascending; made when first asked for and then kept. */
  items(): Uint32Array;
}

/** All strata of a training set that hold an item. Takes time in the items' language combinations. */
export function collectStrata(set: TrainingSet): Stratum[] {
  const { items, languages, domains } = set;
  const queryLanguages = set.queries.map((text) => set.languagesOf(text));
  const passageLanguages = set.passages.map((text) => set.languagesOf(text));
  const sizes = new Map<number, number>();
  const keyOf = (source: number, x: number, y: number) =>
    (source * languages.length + x) * languages.length + y;
  const sourceItems = new Map<number, number[]>();
  items.forEach((item, index) => {
    const source = item.dataset * domains.length + item.domain;
    const list = sourceItems.get(source);
    if (list === undefined) sourceItems.set(source, [index]);
    else list.push(index);
    for (const x of queryLanguages[item.query]!) {
      for (const y of passageLanguages[item.passage]!) {
        const key = keyOf(source, x, y);
        sizes.set(key, (sizes.get(key) ?? 0) + 1);
      }
    }
  });
  return [...sizes].map(([key, size]) => {
    const y = key % languages.length;
    const x = Math.floor(key / languages.length) % languages.length;
    const source = Math.floor(key / languages.length / languages.length);
    const dataset = Math.floor(source / domains.length);
    const domain = source % domains.length;
    let listed: Uint32Array | undefined;
    return {
      name: JSON.stringify([set.datasets[dataset], domains[domain], languages[x], languages[y]]),
      dataset,
      domain,
      queryLanguage: x,
      passageLanguage: y,
      size,
      items() {
        listed ??= Uint32Array.from(
          sourceItems.get(source)!.filter((index) => {
            const item = items[index]!;
            return queryLanguages[item.query]!.includes(x) && passageLanguages[item.passage]!.includes(y);
          }),
        );
        return listed;
      },
    };
  });
}

/** Where a walk through a stratum stands: enough to go on, whatever came before. */
export interface CursorState {
  readonly epoch: number;
  /** Position in this epoch's order, below the stratum's size. */
  readonly position: number;
  /** Items met but not usable in the batch that met them, oldest first; tried before any other. */
  readonly deferred: readonly number[];
  /** How many items were given up until the next epoch because too many were deferred. */
  readonly passedOver: number;
}

/** So many items may wait for a later batch; it bounds the state. */
export const mostDeferred = 256;

/**
 * A walk through one stratum, epoch after epoch, each in another order.
 *
 * In one epoch every item is met once. An item that does not fit the batch at hand (its passage is already
 * there, say) waits and is tried first by the next batch; only when {@link mostDeferred} are waiting is it
 * given up until the next epoch.
 */
export class StratumCursor {
  readonly #stratum: Stratum;
  readonly #seed: number;
  readonly #nameHash: number;
  #epoch = 0;
  #position = 0;
  #deferred: number[] = [];
  #passedOver = 0;
  #order: Permutation;

  constructor(stratum: Stratum, seed: number) {
    this.#stratum = stratum;
    this.#seed = seed;
    this.#nameHash = hashText(stratum.name);
    this.#order = this.#orderOf(0);
  }

  /**
   * The first result of `accept` that is not undefined, for items in this walk's order; undefined, and the
   * walk stays where it was, if no item of the stratum is accepted.
   */
  take<T>(accept: (item: number) => T | undefined): T | undefined {
    for (let i = 0; i < this.#deferred.length; i++) {
      const result = accept(this.#deferred[i]!);
      if (result !== undefined) {
        this.#deferred.splice(i, 1);
        return result;
      }
    }
    const before = this.state();
    const items = this.#stratum.items();
    // The rest of this epoch and the whole next one: fewer tries would miss items where the order changes.
    const tries = 2 * items.length - this.#position;
    for (let tried = 0; tried < tries; tried++) {
      const item = items[this.#order.at(this.#position)]!;
      this.#advance();
      // Left over from the epoch before and tried above.
      if (this.#deferred.includes(item)) continue;
      const result = accept(item);
      if (result !== undefined) return result;
      this.defer(item);
    }
    this.restore(before);
    return undefined;
  }

  /** Lets an item wait for a later batch, or gives it up until the next epoch where too many wait. */
  defer(item: number): void {
    if (this.#deferred.length < mostDeferred) this.#deferred.push(item);
    else this.#passedOver++;
  }

  state(): CursorState {
    return {
      epoch: this.#epoch,
      position: this.#position,
      deferred: [...this.#deferred],
      passedOver: this.#passedOver,
    };
  }

  restore(state: CursorState): void {
    this.#epoch = state.epoch;
    this.#position = state.position;
    this.#deferred = [...state.deferred];
    this.#passedOver = state.passedOver;
    this.#order = this.#orderOf(state.epoch);
  }

  #advance(): void {
    this.#position++;
    if (this.#position < this.#stratum.size) return;
    this.#position = 0;
    this.#epoch++;
    this.#order = this.#orderOf(this.#epoch);
  }

  #orderOf(epoch: number): Permutation {
    return new Permutation(this.#stratum.size, this.#seed, this.#nameHash, epoch);
  }
}
