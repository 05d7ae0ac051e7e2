/**
 * Draws batches of training pairs: monolingual, cross-lingual, multilingual or a mix of them.
 *
 * Not a data loader: it reads no file, makes no token and has no thread. It never ends; a set that is
 * exhausted begins its next epoch.
 */
import { Fingerprint } from '../hash.js';
import { Random } from '../random.js';
import type { Pair, Row } from '../rows.js';
import type { TrainingSet } from '../training-set.js';
import { checkPairs, plantTree, tooFew } from './feasibility.js';
import { type Drawn, fillBatch } from './fill.js';
import type { BatchGuard } from './guard.js';
import {
  type BatchMode,
  batchModes,
  interpolated,
  type ResolvedOptions,
  resolveSampling,
  type SamplerOptions,
} from './options.js';
import { checkState, packCursor, type SamplerState, unpackCursor } from './state.js';
import { collectStrata, type Stratum, StratumCursor } from './strata.js';
import { type BatchTree, checkWeightNames, drawChild } from './tree.js';
import { changesOverSteps, optionsAt, tellingSteps } from './weights-over-steps.js';

/** Pairs that are trained on together; each question's negatives are the others' passages and its own. */
export interface Batch {
  /** 0 for a sampler's first batch. */
  readonly index: number;
  readonly mode: BatchMode;
  /** The language of all questions, or null where they differ. */
  readonly queryLang: string | null;
  /** The language of all passages, or null where they differ. */
  readonly passageLang: string | null;
  /** The data set of all pairs, or null where they differ. */
  readonly dataset: string | null;
  readonly pairs: readonly Pair[];
}

/**
 * An endless source of batches from a training set.
 *
 * Guarantees, for one training set and one set of options:
 * - The mode, languages and data sets of batch k are drawn from random numbers keyed by (seed, k). Its
 *   items come from one walk per stratum (data set, domain, question language, passage language) without
 *   replacement: {@link StratumCursor} says exactly what an epoch covers.
 * - A batch has as many pairs as asked. In it a question, a passage and a text occur once at most, in
 *   whatever language, and no passage is a known answer to another question.
 * - {@link state} does not grow with the number of steps (a few numbers per stratum), and
 *   {@link restore} continues from it without replaying anything.
 * - A pair's negatives are in the language of its passage; in multilingual mode one that has no such
 *   version comes in another language. One that answers a question of the batch is left out.
 *
 * @example
 * const sampler = new BatchSampler(set, { batchSize: 32, seed: 1, mode: 'hybrid', alpha: 0.5 });
 * const batch = sampler.next();
 */
export class BatchSampler {
  /** Languages, pairs and data sets without enough items for a batch, where `onTooFew` is `leave-out`. */
  readonly leftOut: readonly string[];
  readonly #set: TrainingSet;
  readonly #options: ResolvedOptions;
  readonly #strata: readonly Stratum[];
  /** The trees of the weights that hold at one step, or at all where they don't change. */
  #trees: ReadonlyMap<BatchMode, BatchTree>;
  /** The weights that `#trees` is made with. */
  #weights: string;
  readonly #optionsFingerprint: string;
  #cursors = new Map<Stratum, StratumCursor>();
  #step = 0;
  #mined: ReadonlyMap<number, readonly number[]> = new Map();

  /**
   * @throws DataError `INPUT_OPTION` for a bad option, `INPUT_LANGUAGE` for an unknown language in
   *   `onlyPairs`, `INPUT_BATCH` where a mode cannot be drawn or a batch not be filled
   */
  constructor(set: TrainingSet, options: SamplerOptions) {
    this.#set = set;
    this.#options = resolveSampling(options);
    // Negatives may be of data sets that have no pair, which need no weight.
    const paired = new Set(set.items.map(({ dataset }) => dataset));
    const datasets = set.datasets.filter((_, index) => paired.has(index));
    checkWeightNames('datasets', this.#options.datasets, datasets);
    checkWeightNames('domains', this.#options.domains, set.domains);
    const strata = collectStrata(set);
    this.#strata = strata;
    checkPairs(set, strata, this.#options);
    const leftOut = new Set<string>();
    // Every set of weights is tried before the first step: none may fail in the middle of a run.
    const steps = changesOverSteps(this.#options) ? tellingSteps(this.#options) : [0];
    for (const step of steps.slice(1)) this.#plant(optionsAt(this.#options, step), leftOut);
    const first = optionsAt(this.#options, 0);
    this.#trees = this.#plant(first, leftOut);
    this.#weights = weightsOf(first);
    this.leftOut = [...leftOut];
    this.#optionsFingerprint = new Fingerprint().add(canonicalJson(this.#options)).digest();
  }

  /** The index of the next batch. */
  get step(): number {
    return this.#step;
  }

  /** How often so far an item was given up until its next epoch because it fitted no batch. */
  get passedOver(): number {
    return [...this.#cursors.values()].reduce((sum, cursor) => sum + cursor.state().passedOver, 0);
  }

  /** The mode of any batch, past or future, without drawing it. @param index 0 for the first batch */
  modeOf(index: number): BatchMode {
    return this.#drawMode(index, new Random(this.#options.seed, index));
  }

  /**
   * Takes hard negatives that were mined, by item, as indices into the set's passages; they replace the
   * data's own where an item has some. They are no part of {@link state}: give them again after {@link restore}.
   */
  setNegatives(byItem: ReadonlyMap<number, readonly number[]>): void {
    this.#mined = byItem;
  }

  /**
   * Draws the next batch.
   *
   * @throws DataError `INPUT_BATCH` where no further pair fits; possible only where pairs exclude each other by
   *   shared passages or texts and the batch is nearly as large as the data. The sampler is then as it was before.
   */
  next(): Batch {
    const index = this.#step;
    const random = new Random(this.#options.seed, index);
    const mode = this.#drawMode(index, random);
    const tree = this.#treeAt(mode, index);
    let node = tree.root;
    for (let level = 0; level < tree.fixedLevels; level++) node = drawChild(node, random, new Set())!;

    const { batchSize } = this.#options;
    const filled = fillBatch(this.#set, node, batchSize, random, (stratum) => this.#cursor(stratum));
    if ('found' in filled) throw tooFew(mode, node, batchSize, filled.found);
    const pairs = filled.drawn.map((one) => this.#pair(one, mode, random, filled.guard));
    this.#step++;
    return {
      index,
      mode,
      queryLang: common(pairs, (pair) => pair.query.lang),
      passageLang: common(pairs, (pair) => pair.passage.lang),
      dataset: common(pairs, (pair) => pair.query.dataset),
      pairs,
    };
  }

  /** Where the sampler stands, as plain JSON; {@link restore} takes it. */
  state(): SamplerState {
    return {
      version: 1,
      data: this.#set.fingerprint,
      options: this.#optionsFingerprint,
      seed: this.#options.seed,
      step: this.#step,
      strata: this.#strata.flatMap((stratum, index) => {
        const cursor = this.#cursors.get(stratum);
        return cursor === undefined ? [] : [packCursor(index, cursor.state())];
      }),
    };
  }

  /**
   * Goes on from a state: the next batches equal those that the sampler it came from would have drawn.
   *
   * @param state what {@link state} gave, also after a trip through JSON
   * @throws DataError `INPUT_STATE` for a state of other data, other options or another seed, or a damaged
   *   one; the sampler is then as it was before
   */
  restore(state: unknown): void {
    const checked = checkState(state, {
      data: this.#set.fingerprint,
      options: this.#optionsFingerprint,
      seed: this.#options.seed,
      strata: this.#strata,
      items: this.#set.items.length,
    });
    this.#cursors = new Map();
    for (const packed of checked.strata) {
      const { index, cursor } = unpackCursor(packed);
      this.#cursor(this.#strata[index]!).restore(cursor);
    }
    this.#step = checked.step;
  }

  /** The tree of each mode that the schedule knows. */
  #plant(options: ResolvedOptions, leftOut: Set<string>): ReadonlyMap<BatchMode, BatchTree> {
    const trees = new Map<BatchMode, BatchTree>();
    for (const [i, mode] of batchModes.entries()) {
      if (options.schedule.some((knot) => knot.weights[i]! > 0))
        trees.set(mode, plantTree(mode, this.#set, this.#strata, options, leftOut));
    }
    return trees;
  }

  /** The tree of a mode with the weights of a step; grown anew only where they have changed. */
  #treeAt(mode: BatchMode, step: number): BatchTree {
    if (changesOverSteps(this.#options)) {
      const options = optionsAt(this.#options, step);
      const weights = weightsOf(options);
      if (weights !== this.#weights) {
        this.#trees = this.#plant(options, new Set());
        this.#weights = weights;
      }
    }
    return this.#trees.get(mode)!;
  }

  #drawMode(index: number, random: Random): BatchMode {
    const weights = interpolated(this.#options.schedule, index);
    let rest = random.float() * weights.reduce((a, b) => a + b, 0);
    for (const [i, mode] of batchModes.entries()) {
      rest -= weights[i]!;
      if (rest < 0) return mode;
    }
    // Only rounding leads here: the last mode that has a weight.
    return batchModes[weights.findLastIndex((weight) => weight > 0)]!;
  }

  #pair(drawn: Drawn, mode: BatchMode, random: Random, guard: BatchGuard): Pair {
    const set = this.#set;
    const language = set.rowLanguage[drawn.passage]!;
    const item = set.items[drawn.item]!;
    const mined = this.#mined.get(drawn.item);
    const known = mined ?? item.negatives;
    // A mined negative has no teacher's score.
    const scored = mined === undefined ? item.margins : undefined;
    const negatives: Row[] = [];
    const margins: number[] = [];
    for (const passage of this.#options.negatives === null ? known : random.pick(known, known.length)) {
      if (negatives.length === this.#options.negatives) break;
      const same = set.rowsIn(set.passages[passage]!, language);
      const rows = same.length === 0 && mode === 'multilingual' ? set.passages[passage]! : same;
      if (rows.length === 0) continue;
      const row = rows[random.below(rows.length)]!;
      if (!guard.addNegative(passage, row)) continue;
      negatives.push(set.rows[row]!);
      if (scored !== undefined) margins.push(scored[item.negatives.indexOf(passage)]!);
    }
    return {
      query: set.rows[drawn.query]!,
      passage: set.rows[drawn.passage]!,
      negatives,
      ...(scored === undefined ? {} : { margins }),
    };
  }

  #cursor(stratum: Stratum): StratumCursor {
    let cursor = this.#cursors.get(stratum);
    if (cursor === undefined) {
      cursor = new StratumCursor(stratum, this.#options.seed);
      this.#cursors.set(stratum, cursor);
    }
    return cursor;
  }
}

function common(pairs: readonly Pair[], value: (pair: Pair) => string): string | null {
  const first = value(pairs[0]!);
  return pairs.every((pair) => value(pair) === first) ? first : null;
}

function weightsOf({ datasets, domains }: ResolvedOptions): string {
  return canonicalJson([datasets, domains]);
}

/** JSON with sorted keys, so that the order in which options are written does not matter. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
