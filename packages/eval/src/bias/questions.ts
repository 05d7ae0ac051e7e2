/** Which queries are translations of one question: what a resampling and a rank correlation must know. */
import type { RetrievalCollection } from '../collection.js';

/**
 * Name of each query's question. `parallel_id` where the queries have one; else the id without its language,
 * where every id ends in `_{lang}` or `-{lang}` (as LAReQA names them); else queries with the same relevant
 * candidates are taken as one question.
 */
export function questionsOf({ queries, relevant }: RetrievalCollection): string[] {
  if (queries.every((query) => query.parallel_id !== undefined)) {
    return queries.map((query) => query.parallel_id!);
  }
  const stems = queries.map(({ id, lang }) =>
    id.endsWith(`_${lang}`) || id.endsWith(`-${lang}`) ? id.slice(0, -lang.length - 1) : '',
  );
  if (stems.every((stem) => stem !== '')) return stems;
  return queries.map(({ id }, index) => {
    const passages = Array.from(relevant[index]!).sort((a, b) => a - b);
    return passages.length === 0 ? id : passages.join(' ');
  });
}

/** Whether any question is asked in more than one language. */
export function areParallel(questions: readonly string[], langs: readonly string[]): boolean {
  const first = new Map<string, string>();
  return questions.some((question, index) => {
    const lang = first.get(question);
    if (lang === undefined) first.set(question, langs[index]!);
    return lang !== undefined && lang !== langs[index];
  });
}
