/**
 * Training pairs, joined by parallel id: which questions and passages exist in which languages and which
 * passage answers which question. Not a sampler (see `sampling/`) and not a reader (see `files/`).
 *
 * An *item* says that a passage answers a question, in no particular language. The question and the passage
 * are *parallel texts*: rows of several languages with one parallel id. So `n` languages of one item cost
 * `2n` rows, not `n²` pairs, and a passage that many questions share is stored once.
 */
import { DataError } from './errors.js';
import { Fingerprint, hashNormalisedText } from './hash.js';
import type { Pair, Row } from './rows.js';

/** A question (or passage) in every language there is: indices into {@link TrainingSet.rows}. */
export type ParallelText = readonly number[];

/** "This passage answers this question": indices into the training set's arrays. */
export interface Item {
  /** Index into {@link TrainingSet.queries}. */
  readonly query: number;
  /** Index into {@link TrainingSet.passages}. */
  readonly passage: number;
  /** Indices into {@link TrainingSet.passages}. */
  readonly negatives: readonly number[];
  /** A teacher's margin over each of `negatives`, NaN where there is none; absent where there are none at all. */
  readonly margins?: readonly number[];
  /** Index into {@link TrainingSet.datasets}. */
  readonly dataset: number;
  /** Index into {@link TrainingSet.domains}. */
  readonly domain: number;
}

/** Training pairs joined by parallel id. Made by a {@link TrainingSetBuilder}. */
export class TrainingSet {
  /** Every distinct text with its language, once. */
  readonly rows: readonly Row[];
  readonly queries: readonly ParallelText[];
  /** Positives and negatives. */
  readonly passages: readonly ParallelText[];
  readonly items: readonly Item[];
  readonly languages: readonly string[];
  readonly datasets: readonly string[];
  readonly domains: readonly string[];
  /** Per row: index into `languages`. */
  readonly rowLanguage: Uint16Array;
  /** Per row: equal for texts that are the same but for case, white space and Unicode form. */
  readonly rowText: Uint32Array;
  /** Changes when any row, its order or any pair changes. */
  readonly fingerprint: string;
  readonly #answers: ReadonlyMap<number, readonly number[]>;

  /** @internal Use {@link TrainingSetBuilder}. */
  constructor(parts: TrainingSetParts) {
    this.rows = parts.rows;
    this.queries = parts.queries;
    this.passages = parts.passages;
    this.items = parts.items;
    this.languages = parts.languages;
    this.datasets = parts.datasets;
    this.domains = parts.domains;
    this.rowLanguage = Uint16Array.from(parts.rowLanguage);
    this.rowText = Uint32Array.from(parts.rowText);
    this.fingerprint = parts.fingerprint;
    this.#answers = severalAnswers(parts.items);
  }

  /** Collects pairs that are already in memory. @throws DataError as {@link TrainingSetBuilder} does */
  static from(pairs: Iterable<Pair>): TrainingSet {
    const builder = new TrainingSetBuilder();
    for (const pair of pairs) builder.add(pair);
    return builder.build();
  }

  /** Collects pairs from readers, one reader after another. @throws DataError as {@link TrainingSetBuilder} does */
  static async read(...sources: AsyncIterable<Pair>[]): Promise<TrainingSet> {
    const builder = new TrainingSetBuilder();
    for (const source of sources) for await (const pair of source) builder.add(pair);
    return builder.build();
  }

  /** The passages that answer a question, as indices into `passages`. */
  answersOf(item: Item): readonly number[] {
    return this.#answers.get(item.query) ?? [item.passage];
  }

  /** The languages of a parallel text, as indices into `languages`, each once. */
  languagesOf(text: ParallelText): readonly number[] {
    return [...new Set(text.map((row) => this.rowLanguage[row]!))];
  }

  /** The rows of a parallel text in one language: none, one, or several wordings. */
  rowsIn(text: ParallelText, language: number): readonly number[] {
    return text.filter((row) => this.rowLanguage[row] === language);
  }
}

interface TrainingSetParts {
  rows: Row[];
  queries: readonly ParallelText[];
  passages: readonly ParallelText[];
  items: MutableItem[];
  languages: string[];
  datasets: string[];
  domains: string[];
  rowLanguage: number[];
  rowText: number[];
  fingerprint: string;
}

interface MutableItem extends Item {
  negatives: readonly number[];
  margins?: readonly number[];
}

/** Numbers distinct values from 0 in the order in which they come. */
class Numbering<T> {
  readonly values: T[] = [];
  readonly #numbers = new Map<T, number>();

  of(value: T): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.values.length;
      this.values.push(value);
      this.#numbers.set(value, number);
    }
    return number;
  }
}

/** Rows of one role (query or passage) under their parallel ids. */
class Side {
  readonly texts: (readonly number[])[] = [];
  /** By data set, then by parallel id: a joint key would be one more string for each text. */
  readonly #numbers: Map<string, number>[] = [];

  textOf(dataset: number, parallelId: string): number {
    this.#numbers[dataset] ??= new Map();
    const numbers = this.#numbers[dataset];
    let text = numbers.get(parallelId);
    if (text === undefined) {
      text = this.texts.length;
      numbers.set(parallelId, text);
      this.texts.push([]);
    }
    return text;
  }

  /** Most texts have one row, for which `push` would reserve room for 17. */
  add(text: number, row: number): void {
    this.texts[text] = this.texts[text]!.concat(row);
  }
}

const largestParallelTexts = 2 ** 28;
const mostLanguages = 1024;
/** Most rows of one parallel text: languages times wordings. Beyond it, one id must have been given to everything. */
const mostRows = 10_000;
const noNegatives: readonly number[] = [];

/**
 * Collects pairs one by one, so that a reader's stream need not be held twice.
 *
 * Rows with the same role, data set, parallel id, language and text are stored once; where the texts differ,
 * both are kept as wordings of one question and a sampler draws either. A pair that comes twice is one item;
 * its negatives are joined. A margin belongs to question, passage and negative in whatever language: where
 * translations were scored each on their own, the first one that is added counts.
 */
export class TrainingSetBuilder {
  readonly #rows: Row[] = [];
  readonly #rowLanguage: number[] = [];
  readonly #rowText: number[] = [];
  readonly #languages = new Numbering<string>();
  readonly #datasets = new Numbering<string>();
  readonly #domains = new Numbering<string>();
  readonly #texts: Numbering<number>;
  readonly #queries = new Side();
  readonly #passages = new Side();
  readonly #items: MutableItem[] = [];
  readonly #itemNumbers = new Map<number, number>();
  readonly #fingerprint = new Fingerprint();

  /** @param sibling builder of another part of the same data: equal texts then have equal `rowText` in both */
  constructor(sibling?: TrainingSetBuilder) {
    this.#texts = sibling === undefined ? new Numbering() : sibling.#texts;
  }

  /**
   * Adds a passage that answers no question: one more among which hard negatives can be mined.
   *
   * @throws DataError as {@link add} does
   */
  addPassage(row: Row): void {
    this.#fingerprint.add(this.#place(this.#passages, row, 'passage'));
  }

  /**
   * Adds one pair.
   *
   * @throws DataError `INPUT_EMPTY` where a text is empty, `INPUT_OPTION` beyond 1,024 languages, 2^28 questions or
   *   passages, or 10,000 texts of one parallel id
   */
  add(pair: Pair): void {
    const query = this.#place(this.#queries, pair.query, 'query');
    const passage = this.#place(this.#passages, pair.passage, 'passage');
    const negatives = pair.negatives.map((row) => this.#place(this.#passages, row, 'negative'));
    const key = query * largestParallelTexts + passage;
    const known = this.#itemNumbers.get(key);
    this.#fingerprint.add(query).add(passage);
    for (const negative of negatives) this.#fingerprint.add(negative);
    for (const margin of pair.margins ?? []) this.#fingerprint.add(`margin ${margin}`);
    if (known === undefined) {
      this.#itemNumbers.set(key, this.#items.length);
      this.#items.push({
        query,
        passage,
        ...joinNegatives({ negatives: noNegatives }, negatives, pair.margins),
        dataset: this.#datasets.of(pair.query.dataset),
        domain: this.#domains.of(pair.query.domain),
      });
    } else if (negatives.length > 0) {
      const item = this.#items[known]!;
      Object.assign(item, joinNegatives(item, negatives, pair.margins));
    }
  }

  /**
   * The training set of all pairs added.
   *
   * @param heldOut parts of the same data, of sibling builders: passages that answer something there and nothing here are
   *   left out, in every language and as the same text, so that nobody has them for a negative
   * @throws DataError `INPUT_EMPTY` where there is no pair
   */
  build(heldOut: readonly TrainingSet[] = []): TrainingSet {
    if (this.#items.length === 0) {
      throw new DataError('INPUT_EMPTY', 'there is no training pair: check the paths, `langs` and `limit`');
    }
    const leftOut = this.#answersIn(heldOut);
    for (const passage of leftOut) this.#fingerprint.add(passage);
    return new TrainingSet({
      rows: this.#rows,
      queries: this.#queries.texts,
      ...this.#without(leftOut),
      languages: this.#languages.values,
      datasets: this.#datasets.values,
      domains: this.#domains.values,
      rowLanguage: this.#rowLanguage,
      rowText: this.#rowText,
      fingerprint: this.#fingerprint.digest(),
    });
  }

  /** Passages that are no answer here but one in the sets, by parallel id or by text. */
  #answersIn(sets: readonly TrainingSet[]): ReadonlySet<number> {
    const keyOf = ({ dataset, parallelId }: Row) => `${dataset}\n${parallelId}`;
    const keys = new Set<string>();
    const texts = new Set<number>();
    for (const { items, passages, rows, rowText } of sets) {
      for (const row of items.flatMap(({ passage }) => passages[passage]!)) {
        keys.add(keyOf(rows[row]!));
        texts.add(rowText[row]!);
      }
    }
    if (keys.size === 0) return new Set();
    const own = new Set(this.#items.map(({ passage }) => passage));
    const isAnswer = (row: number) => texts.has(this.#rowText[row]!) || keys.has(keyOf(this.#rows[row]!));
    const all = [...this.#passages.texts.keys()];
    return new Set(all.filter((text) => !own.has(text) && this.#passages.texts[text]!.some(isAnswer)));
  }

  /** Passages and items without some passages that answer nothing. */
  #without(passages: ReadonlySet<number>): Pick<TrainingSetParts, 'passages' | 'items'> {
    const { texts } = this.#passages;
    if (passages.size === 0) return { passages: texts, items: this.#items };
    const kept = [...texts.keys()].filter((text) => !passages.has(text));
    const numbers = new Map(kept.map((text, number) => [text, number]));
    const items = this.#items.map((item) => {
      const places = [...item.negatives.keys()].filter((place) => numbers.has(item.negatives[place]!));
      return {
        ...item,
        passage: numbers.get(item.passage)!,
        negatives: places.map((place) => numbers.get(item.negatives[place]!)!),
        ...(item.margins ? { margins: places.map((place) => item.margins![place]!) } : {}),
      };
    });
    return { passages: kept.map((text) => texts[text]!), items };
  }

  /** Stores a row under its parallel id and returns the number of that parallel text. */
  #place(side: Side, row: Row, role: string): number {
    const text = side.textOf(this.#datasets.of(row.dataset), row.parallelId);
    // A reader gives out one object for a passage that many questions share: no need to hash it again.
    if (side.texts[text]!.some((known) => this.#rows[known] === row)) return text;
    // Rows of a program without types may have none at all.
    if (!row.text?.trim()) {
      throw new DataError(
        'INPUT_EMPTY',
        `the ${role} '${row.id}' of '${row.dataset}' (${row.lang}) has no text`,
      );
    }
    const language = this.#languages.of(row.lang);
    const textClass = this.#texts.of(hashNormalisedText(row.text));
    if (text >= largestParallelTexts || language >= mostLanguages) {
      throw new DataError(
        'INPUT_OPTION',
        `a training set holds up to ${mostLanguages} languages and 2^28 texts`,
      );
    }
    // A parallel text has a row or a few per language, so looking through them is cheap.
    let number = side.texts[text]!.find(
      (known) => this.#rowLanguage[known] === language && this.#rowText[known] === textClass,
    );
    if (number === undefined) {
      if (side.texts[text]!.length >= mostRows) {
        throw new DataError(
          'INPUT_OPTION',
          `'${row.dataset}': more than ${mostRows} texts have the parallel_id '${row.parallelId}'; give each item and its translations an id of their own, or leave the ids out`,
        );
      }
      number = this.#rows.length;
      this.#rows.push(row);
      this.#rowLanguage.push(language);
      this.#rowText.push(textClass);
      side.add(text, number);
      this.#fingerprint.add(row.dataset).add(row.domain).add(row.parallelId).add(row.lang).add(row.text);
    }
    return text;
  }
}

/** An item's negatives and more of them, each once, with the first margin that is known of each. */
function joinNegatives(
  before: Pick<Item, 'negatives' | 'margins'>,
  more: readonly number[],
  margins: readonly number[] | undefined,
): Pick<Item, 'negatives' | 'margins'> {
  if (more.length === 0) return before;
  const negatives = [...new Set([...before.negatives, ...more])];
  if (!before.margins && !margins) return { negatives };
  const known = new Map<number, number>();
  const keep = (all: readonly number[], values: readonly number[] = []) =>
    all.forEach((negative, i) => {
      const value = values[i] ?? Number.NaN;
      if (!known.has(negative) || Number.isNaN(known.get(negative))) known.set(negative, value);
    });
  keep(before.negatives, before.margins);
  keep(more, margins);
  return { negatives, margins: negatives.map((negative) => known.get(negative)!) };
}

/** Passages by question, for the questions that have more than one. */
function severalAnswers(items: readonly Item[]): Map<number, number[]> {
  const first = new Map<number, number>();
  const several = new Map<number, number[]>();
  for (const { query, passage } of items) {
    const before = first.get(query);
    if (before === undefined) first.set(query, passage);
    else if (several.has(query)) several.get(query)!.push(passage);
    else several.set(query, [before, passage]);
  }
  return several;
}
