/** Held-out data as a retrieval collection: every question against every held-out passage. */
import { type CollectionQuery, hashText, ParallelCollection, type TrainingSet } from '@synglot/data';

/** Options of {@link heldOutCollection}. */
export interface HeldOutOptions {
  readonly name?: string;
  /** Most questions, each in all its languages; their parallel ids decide which. Default all. */
  readonly questions?: number;
}

/**
 * The collection of a training set: its questions, each in every language that it has, and its positive
 * passages as candidates. A translation of an answer, and every other answer of the question, is relevant. Passages of one
 * language with one `rowText` are one candidate, whatever their parallel ids: a copy of an answer would count as wrong.
 *
 * Languages without a question or without a passage are left out; undefined if no language remains.
 */
export function heldOutCollection(
  set: TrainingSet,
  options: HeldOutOptions = {},
): ParallelCollection | undefined {
  const answers = new Map<number, Set<number>>();
  for (const { query, passage } of set.items) {
    answers.set(query, (answers.get(query) ?? new Set()).add(passage));
  }
  const questions = chosen(set, [...answers.keys()], options.questions);
  const passages = [...new Set(set.items.map(({ passage }) => passage))];
  const languagesOf = (rows: Iterable<number>) => new Set([...rows].map((row) => set.rowLanguage[row]!));
  const asked = languagesOf(questions.flatMap((query) => set.queries[query]!));
  const answered = languagesOf(passages.flatMap((passage) => set.passages[passage]!));
  const languages = new Set([...asked].filter((language) => answered.has(language)));
  if (languages.size === 0) return undefined;

  const item = (kind: string, text: number, row: number, at: number) => {
    const lang = set.languages[set.rowLanguage[row]!]!;
    // Wordings of one text in one language are told apart.
    return { id: `${kind}${text}${at === 0 ? '' : `.${at}`}_${lang}`, lang, text: set.rows[row]!.text };
  };
  const kept = (rows: readonly number[]) => rows.filter((row) => languages.has(set.rowLanguage[row]!));
  const wording = (rows: readonly number[], at: number) =>
    rows.slice(0, at).filter((row) => set.rowLanguage[row] === set.rowLanguage[rows[at]!]).length;

  const candidates: ReturnType<typeof item>[] = [];
  const candidatesOf = new Map<number, number[]>();
  const byText = new Map<string, number>();
  for (const passage of passages) {
    const rows = kept(set.passages[passage]!);
    const own = rows.map((row, at) => {
      const text = `${set.rowLanguage[row]} ${set.rowText[row]}`;
      const candidate = byText.get(text) ?? candidates.push(item('p', passage, row, wording(rows, at))) - 1;
      byText.set(text, candidate);
      return candidate;
    });
    candidatesOf.set(passage, own);
  }
  const queries: CollectionQuery[] = [];
  const relevant: number[][] = [];
  for (const query of questions) {
    const found = [...new Set([...answers.get(query)!].flatMap((passage) => candidatesOf.get(passage)!))];
    const rows = kept(set.queries[query]!);
    for (const [at, row] of rows.entries()) {
      queries.push({ ...item('q', query, row, wording(rows, at)), parallel_id: `q${query}` });
      relevant.push(found);
    }
  }
  return new ParallelCollection({
    name: options.name ?? 'held-out',
    langs: [...languages].map((language) => set.languages[language]!).sort(),
    queries,
    candidates,
    relevant,
  });
}

/** At most `limit` questions: those whose parallel ids hash lowest, in the order of the set. */
function chosen(set: TrainingSet, questions: readonly number[], limit = Number.POSITIVE_INFINITY): number[] {
  if (questions.length <= limit) return [...questions];
  const key = (query: number) => {
    const { dataset, parallelId } = set.rows[set.queries[query]![0]!]!;
    return hashText(`${dataset}\n${parallelId}`);
  };
  const ranked = [...questions].sort((a, b) => key(a) - key(b) || a - b);
  return ranked.slice(0, limit).sort((a, b) => a - b);
}

/** How many of some texts are among others, and how many there are. */
export interface Overlap {
  readonly shared: number;
  readonly all: number;
}

/**
 * What is held out and in the training data too, word for word and in one language: duplicates, or a question on
 * passages of both parts. A question may be there for good reason, a title such as "Translate" say; a passage has been seen.
 *
 * @param training built beside `heldOut`, by a sibling of its builder
 */
export function heldOutOverlap(heldOut: TrainingSet, training: TrainingSet) {
  const overlap = (role: 'query' | 'passage'): Overlap => {
    const held = [...textsOf(heldOut, role)];
    const wanted = new Set(held);
    const seen = new Set<string>();
    for (const text of textsOf(training, role)) if (wanted.has(text)) seen.add(text);
    return { shared: held.filter((text) => seen.has(text)).length, all: held.length };
  };
  return { questions: overlap('query'), passages: overlap('passage') };
}

/** Language and text, as a key, of every version of what is asked, or of what answers. */
function* textsOf(set: TrainingSet, role: 'query' | 'passage'): Generator<string> {
  const texts = role === 'query' ? set.queries : set.passages;
  for (const text of new Set(set.items.map((item) => item[role]))) {
    for (const row of texts[text]!) yield `${set.rows[row]!.lang} ${set.rowText[row]!}`;
  }
}
