/** A checkpoint whose word table has other rows. */
import { encoderParameters } from '@synglot/nn';
import type { Checkpoint } from '../checkpoint.js';
import { checkpointError } from '../errors.js';
import type { Tokenizer } from '../tokenizer.js';

const table = 'embeddings.word_embeddings.weight';

/** The row of an old id. */
export type OldRow = (id: number) => Promise<Float32Array>;

/** Rows of the old table that are read at once; neighbours are asked for together as a rule. */
const blockRows = 4096;

/**
 * The checkpoint with another tokenizer and table.
 *
 * @param rowOf - the row of a new id, given those of the old table
 * @throws ModelError `INPUT_CHECKPOINT` where an adapter lies over the model
 */
export function withRows(
  checkpoint: Checkpoint,
  tokenizer: Tokenizer,
  vocabularySize: number,
  rowOf: (id: number, oldRow: OldRow) => Promise<Float32Array>,
): Checkpoint {
  if (checkpoint.config.adapter) {
    throw checkpointError(
      `${checkpoint.source}: an adapter belongs to the vocabulary it was trained with; merge it first with 'synglot merge'`,
    );
  }
  const { hiddenSize, vocabularySize: oldSize } = checkpoint.config;
  const config = { ...checkpoint.config, vocabularySize };
  let block: { begin: number; values: Float32Array } | undefined;
  const oldRow: OldRow = async (id) => {
    const begin = Math.floor(id / blockRows) * blockRows;
    if (block?.begin !== begin) {
      const values = await checkpoint.readRows(table, begin, Math.min(oldSize, begin + blockRows));
      block = { begin, values };
    }
    return block.values.subarray((id - begin) * hiddenSize, (id - begin + 1) * hiddenSize);
  };
  const tableRows = async (begin: number, end: number) => {
    const values = new Float32Array((end - begin) * hiddenSize);
    for (let id = begin; id < end; id++) values.set(await rowOf(id, oldRow), (id - begin) * hiddenSize);
    return values;
  };
  return {
    ...checkpoint,
    config,
    tokenizer,
    parameters: encoderParameters(config, checkpoint.pooling),
    readRows: (name, begin, end) =>
      name === table ? tableRows(begin, end) : checkpoint.readRows(name, begin, end),
    readTensor: (name) => (name === table ? tableRows(0, vocabularySize) : checkpoint.readTensor(name)),
  };
}
