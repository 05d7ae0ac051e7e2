/**
 * Encodes a corpus into a store, block by block, and continues where an earlier run was stopped or killed:
 * a passage whose row is in the store is never encoded again. It knows no model: `encode` is given.
 */
import { inFlight } from '@synglot/gpu';
import { EvaluationError } from '../errors.js';
import { checkFinite } from '../search/vector-source.js';
import { type EmbeddingStore, type StoredPassage, textChecksum } from './embedding-store.js';
import { SeenIds } from './seen-ids.js';

/** What {@link encodeCorpus} takes. */
export interface EncodeCorpusOptions {
  readonly store: EmbeddingStore;
  /** The same passages in the same order at every run. */
  readonly corpus: AsyncIterable<{ readonly id: string; readonly text: string }>;
  /** Embeddings [texts, dimension] of texts. */
  readonly encode: (texts: readonly string[]) => Promise<Float32Array>;
  /** Passages in memory at a time; within them the longest are encoded first. Default 8,192. */
  readonly blockPassages?: number;
  /** Characters handed to `encode` at a time. Default 65,536. */
  readonly chunkCharacters?: number;
  /** Time between two writes of rows, which is at most what a kill loses. Default 1,000. */
  readonly commitMs?: number;
  readonly onProgress?: (passages: number) => void;
  /** Stops after the chunks at hand, which are kept. */
  readonly signal?: AbortSignal;
}

/** What a run has done. */
export interface EncodeCorpusResult {
  readonly passages: number;
  /** Passages encoded by this run; the others were there already. */
  readonly encoded: number;
}

interface Pending extends StoredPassage {
  readonly text: string;
}

/**
 * Encodes the passages of the corpus that are not in the store yet.
 *
 * @throws EvaluationError `INPUT_STORE` where a stored row was made from another text than the corpus now has
 *   in its place, `INPUT_COLLECTION` for an id that occurs twice, `INPUT_EMBEDDINGS` for a value that is not
 *   finite
 */
export async function encodeCorpus(options: EncodeCorpusOptions): Promise<EncodeCorpusResult> {
  const { store, blockPassages = 8192 } = options;
  const ids = new SeenIds();
  let block: Pending[] = [];
  let encoded = 0;
  let place = 0;
  for await (const { id, text } of options.corpus) {
    if (!ids.add(id)) {
      throw new EvaluationError(
        'INPUT_COLLECTION',
        `passage ${place + 1} of the corpus has the id "${id}" of an earlier one; ids must be unique`,
      );
    }
    const checksum = textChecksum(text);
    const row = store.rowOf(place);
    if (row === undefined) block.push({ id, place, textChecksum: checksum, text });
    else if (!store.matches(row, id, checksum)) {
      throw new EvaluationError(
        'INPUT_STORE',
        `passage ${place} of the corpus ("${id}") is not the one in the store; the corpus has changed, use another folder for its store`,
      );
    }
    place++;
    // Blocks are the same at every run, so the order of encoding is too.
    if (place % blockPassages === 0) {
      encoded += await encodeBlock(block, options);
      block = [];
      options.onProgress?.(place);
    }
  }
  encoded += await encodeBlock(block, options);
  if (store.rows !== place) {
    throw new EvaluationError(
      'INPUT_STORE',
      `the store has ${store.rows} passages but the corpus ${place}; the corpus has changed, use another folder for its store`,
    );
  }
  if (!store.complete) await store.finish();
  options.onProgress?.(place);
  return { passages: place, encoded };
}

async function encodeBlock(block: readonly Pending[], options: EncodeCorpusOptions): Promise<number> {
  const { store, chunkCharacters = 65_536, commitMs = 1000 } = options;
  const sorted = block.toSorted((a, b) => b.text.length - a.text.length || a.place - b.place);
  let held: { passages: Pending[]; vectors: Float32Array[] } = { passages: [], vectors: [] };
  let committed = performance.now();
  const commit = async () => {
    const vectors = new Float32Array(held.passages.length * store.dimension);
    let at = 0;
    for (const part of held.vectors) {
      vectors.set(part, at);
      at += part.length;
    }
    await store.append(held.passages, vectors);
    held = { passages: [], vectors: [] };
    committed = performance.now();
  };
  // The next chunk is tokenized while the device works on the one before.
  const chunks = inFlight(chunksOf(sorted, chunkCharacters, options.signal), 2, (chunk) =>
    options.encode(chunk.map(({ text }) => text)),
  );
  for await (const [chunk, vectors] of chunks) {
    if (vectors.length !== chunk.length * store.dimension) {
      throw new RangeError(`${vectors.length} values for ${chunk.length} x ${store.dimension}`);
    }
    checkFinite(vectors, store.dimension, (row) => chunk[row]!.id);
    held.passages.push(...chunk);
    held.vectors.push(vectors);
    if (performance.now() - committed >= commitMs) {
      await commit();
      options.onProgress?.(store.rows);
    }
  }
  await commit();
  options.signal?.throwIfAborted();
  return sorted.length;
}

/** Runs of passages of about `characters` characters; none after `signal`. */
function* chunksOf(sorted: readonly Pending[], characters: number, signal: AbortSignal | undefined) {
  for (let begin = 0; begin < sorted.length && !signal?.aborted; ) {
    let end = begin;
    let sum = 0;
    do sum += sorted[end++]!.text.length;
    while (end < sorted.length && end - begin < 4096 && sum < characters);
    yield sorted.slice(begin, end);
    begin = end;
  }
}
