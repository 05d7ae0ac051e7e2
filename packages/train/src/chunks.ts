/** Cuts a packed batch into chunks within a budget of tokens, for gradient-cache.ts. */
import { TrainError } from './errors.js';

/** A run of sequences [begin, end) of a batch. */
export interface Chunk {
  readonly begin: number;
  readonly end: number;
}

/**
 * Cuts a packed batch into runs of sequences within a budget of tokens and a number of sequences.
 *
 * @param cuSeqlens borders of the sequences [sequences + 1]
 * @throws TrainError `INPUT_CONFIG` if a single sequence exceeds the budget
 */
export function* cutChunks(cuSeqlens: Uint32Array, tokens: number, sequences: number): Generator<Chunk> {
  const border = (sequence: number) => cuSeqlens[sequence] as number;
  const count = cuSeqlens.length - 1;
  for (let begin = 0; begin < count; ) {
    let end = begin;
    while (end < count && end - begin < sequences && border(end + 1) - border(begin) <= tokens) end++;
    if (end === begin) {
      throw new TrainError(
        'INPUT_CONFIG',
        `training.cache_tokens ${tokens}: a text of the batch has ${border(begin + 1) - border(begin)} tokens; raise it, or lower text.passage_max_length and text.query_max_length`,
      );
    }
    yield { begin, end };
    begin = end;
  }
}
