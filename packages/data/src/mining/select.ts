/**
 * Chooses hard negatives from ranked passages: the rules, and a count of what each rule rejected. Not the
 * search, which needs a model and a device.
 *
 * As `mine_hard_negatives` of sentence-transformers, except for two things: what answers a question is excluded
 * in every language and as a duplicate text too, and ranks are counted before margins and scores refuse any.
 */
import { DataError } from '../errors.js';
import { hashText } from '../hash.js';
import { Random } from '../random.js';
import { type MiningOptions, type ResolvedMining, resolveMining } from './options.js';
import type { MiningPools, MiningQuestion } from './questions.js';

/** Why a passage is no hard negative; the first rule that rejects it counts. */
export const miningRules = [
  'answer',
  'duplicate',
  'range',
  'absolute_margin',
  'relative_margin',
  'max_score',
  'min_score',
] as const;
/** One of the rules. */
export type MiningRule = (typeof miningRules)[number];

/** What mining did. */
export interface MiningStatistics {
  readonly questions: number;
  /** Ranked passages to which the rules were applied. */
  readonly candidates: number;
  readonly excluded: Readonly<Record<MiningRule, number>>;
  readonly mined: number;
  /** Questions that have fewer negatives than asked for. */
  readonly short: number;
}

/** The hard negatives of one question in one language. */
export interface MinedQuestion {
  readonly question: MiningQuestion;
  /** Of each of the question's `positives`; margins are measured from the lowest. */
  readonly positiveScores: readonly number[];
  /** Best first; `row` is an index into the training set's rows. */
  readonly negatives: readonly { readonly row: number; readonly score: number }[];
}

/** Ranked passages of one pool, best first. */
export interface RankedPassages {
  /** Positions in the pool's `rows`. */
  readonly rows: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
}

/** One round of mining over a training set: says how far to search, then takes what was found. */
export class NegativeSelector {
  readonly data: MiningPools;
  readonly #options: ResolvedMining;
  readonly #salt: number;
  readonly #excluded = Object.fromEntries(miningRules.map((rule) => [rule, 0])) as Record<MiningRule, number>;
  readonly #mined: MinedQuestion[] = [];
  #candidates = 0;

  /**
   * @param salt makes `random` choose anew in each round, such as the training step
   * @throws DataError `INPUT_OPTION`
   */
  constructor(data: MiningPools, options: MiningOptions = {}, salt = 0) {
    this.data = data;
    this.#options = resolveMining(options);
    this.#salt = salt;
  }

  /** How many passages a search in a pool must return, so that the window of ranks is full for every question. */
  depth(pool: number): number {
    const { set, questions, pools } = this.data;
    const rowsOfText = new Map<number, number>();
    for (const row of pools[pool]!.rows) {
      const text = set.rowText[row]!;
      rowsOfText.set(text, (rowsOfText.get(text) ?? 0) + 1);
    }
    let most = 0;
    for (const question of questions) {
      if (question.pool !== pool) continue;
      // Duplicates among the other passages are not foreseen: they leave the window a little short.
      let refused = 0;
      for (const text of this.#answerTexts(question)) refused += rowsOfText.get(text) ?? 0;
      most = Math.max(most, refused);
    }
    return this.#options.rangeMax + most;
  }

  /**
   * Takes what a search found for a question.
   *
   * @param positiveScores of each of the question's `positives`
   */
  take(question: MiningQuestion, positiveScores: readonly number[], found: RankedPassages): void {
    const { negatives, sampling, seed } = this.#options;
    const { set } = this.data;
    const allowed = this.#filter(question, Math.min(...positiveScores), found);
    if (sampling === 'top' || allowed.length <= negatives) {
      this.#mined.push({ question, positiveScores, negatives: allowed.slice(0, negatives) });
      return;
    }
    const row = set.rows[question.query]!;
    const name = JSON.stringify([row.dataset, row.parallelId, row.lang, question.pool]);
    const picked = new Random(seed, this.#salt, hashText(name)).pick([...allowed.keys()], negatives);
    const chosen = picked.sort((a, b) => a - b).map((index) => allowed[index]!);
    this.#mined.push({ question, positiveScores, negatives: chosen });
  }

  /**
   * All that was mined.
   *
   * @throws DataError `INPUT_MINING` where no question has any negative, with what the rules rejected
   */
  finish(): { readonly mined: readonly MinedQuestion[]; readonly statistics: MiningStatistics } {
    const mined = this.#mined.reduce((sum, { negatives }) => sum + negatives.length, 0);
    const statistics: MiningStatistics = {
      questions: this.#mined.length,
      candidates: this.#candidates,
      excluded: { ...this.#excluded },
      mined,
      short: this.#mined.filter(({ negatives }) => negatives.length < this.#options.negatives).length,
    };
    if (mined === 0) {
      throw new DataError(
        'INPUT_MINING',
        `mining leaves no negative for any of ${statistics.questions} questions: of ${statistics.candidates} passages ranked, ${refusals(statistics)}; ${remedy(statistics)}`,
      );
    }
    return { mined: this.#mined, statistics };
  }

  #answerTexts(question: MiningQuestion): Set<number> {
    const { set } = this.data;
    const texts = new Set<number>([set.rowText[question.query]!]);
    for (const passage of this.data.answersTo(question))
      for (const row of set.passages[passage]!) texts.add(set.rowText[row]!);
    return texts;
  }

  #filter(question: MiningQuestion, positiveScore: number, found: RankedPassages) {
    const { set, pools, passageOf } = this.data;
    const { rangeMin, rangeMax, absoluteMargin, relativeMargin, maxScore, minScore } = this.#options;
    const rows = pools[question.pool]!.rows;
    const answers = this.data.answersTo(question);
    const texts = this.#answerTexts(question);
    const passages = new Set<number>();
    const allowed: { row: number; score: number }[] = [];
    let rank = 0;
    for (let i = 0; i < found.rows.length && rank < rangeMax; i++) {
      const row = rows[found.rows[i]!]!;
      const score = found.scores[i]!;
      const passage = passageOf.get(row)!;
      this.#candidates++;
      const refuse = (): MiningRule | undefined => {
        if (answers.has(passage)) return 'answer';
        // Of a passage and its translations, and of equal texts, only the best-ranked one is considered.
        if (texts.has(set.rowText[row]!) || passages.has(passage)) return 'duplicate';
        texts.add(set.rowText[row]!);
        passages.add(passage);
        if (rank++ < rangeMin) return 'range';
        if (score > positiveScore - absoluteMargin) return 'absolute_margin';
        if (score > positiveScore - Math.abs(positiveScore) * relativeMargin) return 'relative_margin';
        if (score > maxScore) return 'max_score';
        return score < minScore ? 'min_score' : undefined;
      };
      const rule = refuse();
      if (rule !== undefined) {
        this.#excluded[rule]++;
        continue;
      }
      allowed.push({ row, score });
    }
    return allowed;
  }
}

/** Per item: its mined negatives as indices into the set's passages, as a sampler takes them. */
export function negativesByItem(
  data: MiningPools,
  mined: readonly MinedQuestion[],
): ReadonlyMap<number, readonly number[]> {
  const byItem = new Map<number, number[]>();
  for (const { question, negatives } of mined) {
    if (negatives.length === 0) continue;
    const passages = negatives.map(({ row }) => data.passageOf.get(row)!);
    for (const item of question.items)
      byItem.set(item, [...new Set([...(byItem.get(item) ?? []), ...passages])]);
  }
  return byItem;
}

/** One line about a round of mining. */
export function miningSummary(statistics: MiningStatistics, negatives: number): string {
  const { questions, mined, short, candidates } = statistics;
  const few = short === 0 ? '' : `; ${short} questions have fewer than ${negatives}`;
  return `${mined} negatives for ${questions} questions${few}; of ${candidates} passages ranked, ${refusals(statistics)}`;
}

function refusals({ excluded }: MiningStatistics): string {
  const words: Record<MiningRule, string> = {
    answer: 'answers',
    duplicate: 'duplicates',
    range: 'above range_min',
    absolute_margin: 'by absolute_margin',
    relative_margin: 'by relative_margin',
    max_score: 'by max_score',
    min_score: 'by min_score',
  };
  const parts = miningRules
    .filter((rule) => excluded[rule] > 0)
    .map((rule) => `${excluded[rule]} ${words[rule]}`);
  return parts.length === 0 ? 'none excluded' : `excluded ${parts.join(', ')}`;
}

function remedy({ excluded }: MiningStatistics): string {
  const rules = miningRules.filter((rule) => rule !== 'answer' && rule !== 'duplicate' && excluded[rule] > 0);
  return rules.length === 0
    ? 'add passages that answer no question'
    : `loosen ${rules.map((rule) => (rule === 'range' ? 'range_min' : rule)).join(', ')}`;
}
