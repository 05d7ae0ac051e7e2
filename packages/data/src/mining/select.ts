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

/** The texts of some answers, and by pool how many of its passages have one of them. */
interface AnswerTexts {
  readonly texts: ReadonlySet<number>;
  readonly refused: number[];
}

/** One round of mining over a training set: says how far to search, then takes what was found. */
export class NegativeSelector {
  readonly data: MiningPools;
  readonly #options: ResolvedMining;
  readonly #salt: number;
  readonly #excluded = Object.fromEntries(miningRules.map((rule) => [rule, 0])) as Record<MiningRule, number>;
  readonly #mined: MinedQuestion[] = [];
  readonly #answersOf = new Map<ReadonlySet<number>, AnswerTexts>();
  readonly #counts: ReadonlyMap<number, number>[] = [];
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

  /** How many passages a search must return, so that the window of ranks is full for a question. */
  depth(question: MiningQuestion): number {
    const { set } = this.data;
    const rowsOfText = this.#rowsOfText(question.pool);
    const own = set.rowText[question.query]!;
    const answers = this.#answers(question);
    let refused = answers.texts.has(own) ? 0 : (rowsOfText.get(own) ?? 0);
    // Duplicates among the other passages are not foreseen: they leave the window a little short.
    answers.refused[question.pool] ??= sum(answers.texts, (text) => rowsOfText.get(text) ?? 0);
    refused += answers.refused[question.pool]!;
    return this.#options.rangeMax + refused;
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

  /** The texts of a question's answers, worked out once for all questions that share them. */
  #answers(question: MiningQuestion): AnswerTexts {
    const { set } = this.data;
    const passages = this.data.answersTo(question);
    let answers = this.#answersOf.get(passages);
    if (answers === undefined) {
      const texts = new Set<number>();
      for (const passage of passages) for (const row of set.passages[passage]!) texts.add(set.rowText[row]!);
      answers = { texts, refused: [] };
      this.#answersOf.set(passages, answers);
    }
    return answers;
  }

  /** How many passages of a pool have each text. */
  #rowsOfText(pool: number): ReadonlyMap<number, number> {
    const known = this.#counts[pool];
    if (known !== undefined) return known;
    const counts = new Map<number, number>();
    for (const row of this.data.pools[pool]!.rows) {
      const text = this.data.set.rowText[row]!;
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    this.#counts[pool] = counts;
    return counts;
  }

  #filter(question: MiningQuestion, positiveScore: number, found: RankedPassages) {
    const { set, pools, passageOf } = this.data;
    const { rangeMin, rangeMax, absoluteMargin, relativeMargin, maxScore, minScore } = this.#options;
    const rows = pools[question.pool]!.rows;
    const answers = this.data.answersTo(question);
    const { texts: answerTexts } = this.#answers(question);
    const texts = new Set([set.rowText[question.query]!]);
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
        const text = set.rowText[row]!;
        if (answerTexts.has(text) || texts.has(text) || passages.has(passage)) return 'duplicate';
        texts.add(text);
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

function sum(values: Iterable<number>, of: (value: number) => number): number {
  let total = 0;
  for (const value of values) total += of(value);
  return total;
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
