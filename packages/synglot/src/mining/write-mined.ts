/** Mined negatives as lines of `pairs-jsonl`: a question, an answer and its negatives, which training reads. */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { MinedQuestion, MiningPools } from '@synglot/data';
import { writeFileAtomic } from '@synglot/models';

/**
 * Writes one line for each question in each language and each of its answers; questions without negatives
 * are left out. The model's scores stand in `positive_score` and, one a negative, in `negative_scores`: a teacher's for
 * MarginMSE, where the model that mined is one. Packed where the name ends in `.gz`.
 *
 * @param signal stops the writing, of which nothing is left
 * @returns the number of lines
 * @throws ModelError `INPUT_DISK` where the file cannot be written
 */
export async function writeMined(
  path: string,
  data: MiningPools,
  mined: readonly MinedQuestion[],
  signal?: AbortSignal,
): Promise<number> {
  let lines = 0;
  const text = function* () {
    for (const one of mined) {
      for (const line of linesOf(data, one)) {
        lines++;
        yield `${JSON.stringify(line)}\n`;
      }
    }
  };
  await writeFileAtomic(path, async (file) => {
    const written = Readable.from(text());
    const bytes = path.endsWith('.gz') ? written.pipe(createGzip()) : written;
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      await file.appendFile(chunk);
    }
  });
  return lines;
}

function* linesOf(data: MiningPools, { question, positiveScores, negatives }: MinedQuestion) {
  if (negatives.length === 0) return;
  const { rows } = data.set;
  const query = rows[question.query]!;
  for (const [index, positive] of question.positives.entries()) {
    const passage = rows[positive]!;
    yield {
      id: query.id,
      query: query.text,
      passage: passage.text,
      query_lang: query.lang,
      passage_lang: passage.lang,
      query_parallel_id: query.parallelId,
      passage_parallel_id: passage.parallelId,
      dataset: query.dataset,
      domain: query.domain,
      positive_score: positiveScores[index],
      negatives: negatives.map(({ row }) => {
        const { id, text, lang, parallelId, dataset } = rows[row]!;
        return { id, text, lang, parallel_id: parallelId, dataset };
      }),
      negative_scores: negatives.map(({ score }) => score),
    };
  }
}
