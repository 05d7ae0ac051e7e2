/**
 * A smaller vocabulary: the tokens that given texts use, special ones and single characters. Multilingual
 * tables hold a hundred languages; most models serve a few (LaBSE's table alone is 1.5 GB).
 */
import type { Checkpoint } from '../checkpoint.js';
import { Tokenizer } from '../tokenizer.js';
import { withRows } from './rows.js';
import { vocabularyOf, withTokens } from './tokenizer-json.js';

/** A tokenizer with fewer tokens, and which they were. */
export interface TrimmedVocabulary {
  readonly tokenizer: Tokenizer;
  /** The old id of each new one, ascending. */
  readonly oldIds: Uint32Array;
}

/**
 * A tokenizer that splits the given texts as before, with fewer tokens.
 *
 * Kept are all tokens that occur, single characters (with and without the prefix of a continued word), added
 * tokens, byte tokens, and for unigram the least probable piece, from which the cost of unknown characters
 * is computed. WordPiece takes the longest piece there is and unigram the likeliest segmentation: what is
 * best among all pieces is best among fewer, so covered texts keep their tokens.
 *
 * @param texts as the model sees them, prompts included
 * @param onProgress told how many texts are done
 */
export async function trimVocabulary(
  tokenizer: Tokenizer,
  texts: Iterable<string> | AsyncIterable<string>,
  onProgress?: (done: number) => void,
): Promise<TrimmedVocabulary> {
  const vocabulary = vocabularyOf(tokenizer);
  const { tokens, scores, added, unknownId, continuing } = vocabulary;
  const kept = new Set<number>(added);
  if (unknownId !== undefined) kept.add(unknownId);
  const isSingle = (token: string) => {
    const bare = continuing !== '' && token.startsWith(continuing) ? token.slice(continuing.length) : token;
    const [first, second, third] = [...bare];
    return first !== undefined && (second === undefined || (first === '▁' && third === undefined));
  };
  for (const [id, token] of tokens.entries()) {
    if (token !== undefined && (isSingle(token) || /^<0x[0-9A-F]{2}>$/.test(token))) kept.add(id);
  }
  if (scores) {
    const least = scores.reduce<number>(
      (best, score, id) => ((score ?? 0) < (scores[best] ?? 0) ? id : best),
      0,
    );
    kept.add(least);
  }
  let batch: string[] = [];
  let done = 0;
  const use = async () => {
    for (const { ids } of await tokenizer.encodeBatch(batch)) for (const id of ids) kept.add(id);
    done += batch.length;
    onProgress?.(done);
    batch = [];
  };
  for await (const text of texts) {
    batch.push(text);
    if (batch.length === 1024) await use();
  }
  await use();
  const oldIds = Uint32Array.from(kept).sort();
  const files = withTokens(tokenizer, vocabulary, [...oldIds]);
  return { tokenizer: await Tokenizer.fromJson(files.tokenizer, tokenizer.source, files.config), oldIds };
}

/** The checkpoint with a trimmed vocabulary: its table has the rows of the tokens kept. */
export function withTrimmedVocabulary(checkpoint: Checkpoint, trimmed: TrimmedVocabulary): Checkpoint {
  const { tokenizer, oldIds } = trimmed;
  return withRows(checkpoint, tokenizer, oldIds.length, (id, table) => table(oldIds[id] as number));
}
