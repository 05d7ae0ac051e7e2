/**
 * What is mined for: each question of a training set in each of its languages, what answers it, and the
 * passages among which its negatives are searched. Knows no scores.
 */
import type { TrainingSet } from '../training-set.js';

/** One question in one language. */
export interface MiningQuestion {
  /** Index into the training set's rows. */
  readonly query: number;
  /** The items that ask it. */
  readonly items: readonly number[];
  /** Rows that answer it, in the language of its pool. */
  readonly positives: readonly number[];
  /** Which of {@link MiningPools}; its passages are searched. */
  readonly pool: number;
}

/** Passages that are searched together. */
export interface MiningPool {
  /** Indices into the training set's rows. */
  readonly rows: readonly number[];
}

/** A training set as mining sees it. */
export class MiningPools {
  readonly set: TrainingSet;
  readonly pools: readonly MiningPool[];
  readonly questions: readonly MiningQuestion[];
  /** Per row of a passage: its index into the set's passages. */
  readonly passageOf: ReadonlyMap<number, number>;
  readonly #answers: readonly ReadonlySet<number>[];
  readonly #queryOfRow: ReadonlyMap<number, number>;

  /** @param languages `within`: one pool per language; `across`: one for all */
  constructor(set: TrainingSet, languages: 'within' | 'across') {
    this.set = set;
    const passageOf = new Map<number, number>();
    set.passages.forEach((rows, passage) => {
      for (const row of rows) passageOf.set(row, passage);
    });
    this.passageOf = passageOf;
    const rows = [...passageOf.keys()].sort((a, b) => a - b);
    this.pools =
      languages === 'across'
        ? [{ rows }]
        : set.languages.map((_, language) => ({
            rows: rows.filter((row) => set.rowLanguage[row] === language),
          }));
    this.#answers = answersByQuery(set);
    const queryOfRow = new Map<number, number>();
    set.queries.forEach((queryRows, query) => {
      for (const row of queryRows) queryOfRow.set(row, query);
    });
    this.#queryOfRow = queryOfRow;
    this.questions = this.#collect(languages);
  }

  /** The passages that answer a question, or another one of the same text: indices into `set.passages`. */
  answersTo(question: MiningQuestion): ReadonlySet<number> {
    return this.#answers[this.#queryOfRow.get(question.query)!]!;
  }

  #collect(languages: 'within' | 'across'): MiningQuestion[] {
    const { set } = this;
    const itemsOf = new Map<number, number[]>();
    set.items.forEach(({ query }, index) => {
      const items = itemsOf.get(query);
      if (items === undefined) itemsOf.set(query, [index]);
      else items.push(index);
    });
    const questions: MiningQuestion[] = [];
    for (const [query, items] of itemsOf) {
      const passages = [...new Set(items.map((item) => set.items[item]!.passage))];
      const answerLanguages = [...new Set(passages.flatMap((one) => set.languagesOf(set.passages[one]!)))];
      for (const language of set.languagesOf(set.queries[query]!)) {
        // Answers in the question's language where there are any; else in those that there are.
        const own = answerLanguages.includes(language) ? [language] : answerLanguages;
        for (const answerLanguage of own) {
          questions.push({
            query: set.rowsIn(set.queries[query]!, language)[0]!,
            items,
            positives: passages.flatMap((one) => set.rowsIn(set.passages[one]!, answerLanguage)),
            pool: languages === 'across' ? 0 : answerLanguage,
          });
        }
      }
    }
    return questions;
  }
}

/** Per query: its answers and those of the queries with the same text in any language. */
function answersByQuery(set: TrainingSet): ReadonlySet<number>[] {
  const byText = new Map<number, Set<number>>();
  const own = set.queries.map(() => new Set<number>());
  for (const item of set.items) own[item.query]!.add(item.passage);
  set.queries.forEach((rows, query) => {
    for (const row of rows) {
      const text = set.rowText[row]!;
      const answers = byText.get(text) ?? new Set<number>();
      byText.set(text, answers);
      for (const passage of own[query]!) answers.add(passage);
    }
  });
  // Questions that share their texts share the set: a title such as "Five stars" may be that of thousands.
  const shared = new Map<string, ReadonlySet<number>>();
  return set.queries.map((rows) => {
    const texts = [...new Set(rows.map((row) => set.rowText[row]!))];
    if (texts.length === 1) return byText.get(texts[0]!)!;
    const key = texts.sort((a, b) => a - b).join();
    const answers = shared.get(key) ?? new Set(texts.flatMap((text) => [...byText.get(text)!]));
    shared.set(key, answers);
    return answers;
  });
}
