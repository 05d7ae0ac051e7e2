/**
 * A checkpoint on a device: texts in, embeddings out. Not for training, which shares only the
 * parameter store with it.
 */
import { type CompiledPlan, type Executor, inFlight, KeptPlans } from '@synglot/gpu';
import {
  type BatchCapacity,
  buildEncodePlan,
  embeddingDimension,
  embeddingsResult,
  encoderParameters,
  ParameterStore,
  packBatch,
  packStep,
} from '@synglot/nn';
import { type CheckpointContents, type EmbeddingModelParts, storedTensors } from './checkpoint-files.js';
import { ModelError } from './errors.js';
import type { Checkpoint } from './model-folder.js';
import type { EncodedText } from './token-template.js';
import { checkDimension, truncateRows } from './truncate.js';

/** A text, or a text with the passage around it, for models that take pairs. */
export type TextInput = string | { readonly text: string; readonly context: string };

/** Options of {@link EmbeddingModel.embed}. */
export interface EmbedOptions {
  /** Longest sequence in tokens, special ones included; default and limit: the model's. */
  readonly maxLength?: number;
  /** Put in front of every text: `query: `. Default nothing. */
  readonly prefix?: string;
  /** How many numbers embeddings are cut to, the first ones; default: all. See `truncateRows`. */
  readonly dimension?: number;
  /** Scales embeddings to length 1 where the model does not; see `retrievalUse`. Default: as the model gives them. */
  readonly normalize?: boolean;
  /** Tokens in one pass of the device. Default 4,096. */
  readonly tokensPerPass?: number;
  /** Called after each pass. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between passes; `embed` then throws its reason. */
  readonly signal?: AbortSignal;
}

const defaultTokensPerPass = 4096;
/** Characters that are tokenized at a time: seconds of work. */
const blockCharacters = 4 * 2 ** 20;
/** One on the device, one packed and queued behind it. */
const passesInFlight = 2;

/** An encoder with its tokenizer and weights on a device. */
export class EmbeddingModel {
  /** Length of the embeddings. */
  readonly dimension: number;
  readonly #plans: KeptPlans;
  #destroyed = false;

  constructor(
    readonly executor: Executor,
    readonly store: ParameterStore,
    readonly parts: EmbeddingModelParts,
  ) {
    this.dimension = embeddingDimension(parts.config, parts.pooling);
    this.#plans = new KeptPlans(executor);
  }

  /** Puts a checkpoint's weights on the device, piece by piece; nothing of them stays there where that fails. */
  static async load(executor: Executor, checkpoint: Checkpoint): Promise<EmbeddingModel> {
    // Without what reads the weights: in a page it holds all of them.
    const { readRows, readTensor: _read, ...parts } = checkpoint;
    const store = new ParameterStore(executor, encoderParameters(parts.config, parts.pooling));
    await store.load('parameter', readRows).catch((error: unknown) => {
      store.destroy();
      throw error;
    });
    return new EmbeddingModel(executor, store, parts);
  }

  /**
   * Embeds texts.
   *
   * @returns [texts, dimension], row-major, in the order of the texts
   * @throws ModelError `INPUT_MODEL` for more dimensions than the embeddings have, for what is no text, and where the
   *   model is destroyed, before or meanwhile
   *
   * @example
   * const model = await EmbeddingModel.load(executor, await openCheckpoint('my-model'));
   * const vectors = await model.embed(['Wo ist der Bahnhof?', 'Where is the station?']);
   */
  async embed(texts: readonly TextInput[], options: EmbedOptions = {}): Promise<Float32Array> {
    const { dimension = this.dimension } = options;
    checkDimension(dimension, this.dimension);
    this.#checkAlive();
    checkTexts(texts);
    const budget = options.tokensPerPass ?? defaultTokensPerPass;
    if (!(budget >= 1)) {
      throw new ModelError('INPUT_MODEL', `tokensPerPass ${budget}: expected a number from 1`);
    }
    const { maxLength = 1 } = options;
    if (!(Number.isInteger(maxLength) && maxLength > 0)) {
      throw new ModelError('INPUT_MODEL', `maxLength ${maxLength}: expected a whole number from 1`);
    }
    const result = new Float32Array(texts.length * this.dimension);
    let done = 0;
    // The next block is tokenized while the device works on the one before.
    const tokenize = this.#tokenizer(texts, options);
    for await (const [{ begin }, encoded] of inFlight(blocksOf(texts), 1, tokenize)) {
      // Texts of similar length share a pass, the longest first, so that a lack of memory shows at once.
      const order = encoded
        .map((_, index) => index)
        .sort((a, b) => length(encoded, b) - length(encoded, a) || a - b);
      const passes = inFlight(passesOf(order, encoded, budget), passesInFlight, (batch) =>
        this.#embedBatch(batch.map((index) => encoded[index] as EncodedText)),
      );
      for await (const [batch, vectors] of passes) {
        batch.forEach((index, row) => {
          result.set(
            vectors.subarray(row * this.dimension, (row + 1) * this.dimension),
            (begin + index) * this.dimension,
          );
        });
        done += batch.length;
        options.onProgress?.(done, texts.length);
        options.signal?.throwIfAborted();
      }
    }
    const { normalize } = this.parts.pooling;
    const finished = dimension === this.dimension && (normalize || !options.normalize);
    return finished
      ? result
      : truncateRows(result, this.dimension, dimension, normalize || !!options.normalize);
  }

  /**
   * The model as `saveCheckpoint` (Node) and `checkpointFiles` (page) take it. Weights are read from the device when
   * their turn comes.
   *
   * @throws ModelError `INPUT_MODEL` after `destroy`
   */
  contents(): CheckpointContents {
    this.#checkAlive();
    return { ...this.parts, tensors: storedTensors(this.store) };
  }

  /** Frees plans and weights. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    await this.releasePlans();
    this.store.destroy();
  }

  /** Frees the plans; the weights stay with a store that others use too. */
  releasePlans(): Promise<void> {
    return this.#plans.destroy();
  }

  #checkAlive(): void {
    if (this.#destroyed) throw new ModelError('INPUT_MODEL', 'the model was destroyed; load it again');
  }

  /** What tokenizes a block: as pairs where any text of the call is one. */
  #tokenizer(texts: readonly TextInput[], options: EmbedOptions): (block: Block) => Promise<EncodedText[]> {
    const { tokenizer } = this.parts;
    const prefix = options.prefix ?? '';
    const maxLength = Math.min(options.maxLength ?? this.parts.maxLength, this.parts.maxLength);
    if (texts.every((text) => typeof text === 'string')) {
      return ({ begin, end }) =>
        tokenizer.encodeBatch(
          texts.slice(begin, end).map((text) => prefix + text),
          { maxLength },
        );
    }
    const pair = (input: TextInput): [string, string] =>
      typeof input === 'string' ? [prefix + input, ''] : [prefix + input.text, input.context];
    return ({ begin, end }) =>
      tokenizer.encodePairs(texts.slice(begin, end).map(pair), { maxLength, truncation: 'only_second' });
  }

  async #embedBatch(batch: readonly EncodedText[]): Promise<Float32Array> {
    this.#checkAlive();
    const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
    const capacity = {
      tokens: roundCapacity(tokens),
      queries: roundCapacity(batch.length, 16),
      candidates: 0,
    };
    const compiled = await this.#plan(capacity);
    this.#checkAlive();
    const ids = new Uint32Array(tokens);
    const types = new Uint32Array(tokens);
    const cuSeqlens = new Uint32Array(batch.length + 1);
    batch.forEach((text, index) => {
      const begin = cuSeqlens[index] as number;
      ids.set(text.ids, begin);
      types.set(text.typeIds, begin);
      cuSeqlens[index + 1] = begin + text.ids.length;
    });
    const packed = packBatch(this.parts.config, capacity, {
      ids,
      types,
      cuSeqlens,
      queries: batch.length,
      candidates: 0,
    });
    const sizeBytes = batch.length * this.dimension * 4;
    const { reads } = await compiled.run({
      feeds: { ...packed.feeds, step: packStep({ counts: packed.counts }) },
      reads: [{ name: embeddingsResult, sizeBytes }],
    });
    return new Float32Array(reads[embeddingsResult] as ArrayBuffer);
  }

  /** The plan of a capacity; few capacities, so few plans. */
  #plan({ tokens, queries: sequences }: BatchCapacity): Promise<CompiledPlan> {
    const { config, pooling } = this.parts;
    const { executor, store } = this;
    const { device } = executor;
    const size = { tokens, sequences };
    return this.#plans.get(
      `${tokens} ${sequences}`,
      () => buildEncodePlan({ device, config, pooling, layout: store.layout, ...size }).plan,
      store.externals,
    );
  }
}

/** Types do not bind a caller in JavaScript, nor what was parsed from a file. */
function checkTexts(texts: readonly TextInput[]): void {
  if (!Array.isArray(texts)) {
    const remedy = typeof texts === 'string' ? '; put it into one: [text]' : '';
    throw new ModelError(
      'INPUT_MODEL',
      `texts: expected an array of texts but received ${texts === null ? 'null' : typeof texts}${remedy}`,
    );
  }
  const isText = (input: unknown) => typeof input === 'string';
  const wrong = texts.findIndex(
    (input) =>
      !isText(input) && !(isText(input?.text) && isText((input as Exclude<TextInput, string>).context)),
  );
  if (wrong < 0) return;
  const received = texts[wrong] as unknown;
  throw new ModelError(
    'INPUT_MODEL',
    `texts[${wrong}]: expected a string, or an object with strings 'text' and 'context', but received ${received === null ? 'null' : typeof received}`,
  );
}

/** Texts that are tokenized together. */
interface Block {
  readonly begin: number;
  readonly end: number;
}

/** Blocks of about so many characters: the tokens of all texts may take more memory than their embeddings. */
function* blocksOf(texts: readonly TextInput[]): Generator<Block> {
  for (let begin = 0; begin < texts.length; ) {
    let end = begin;
    let characters = 0;
    while (end < texts.length && characters < blockCharacters) {
      const input = texts[end++] as TextInput;
      characters += typeof input === 'string' ? input.length : input.text.length + input.context.length;
    }
    yield { begin, end };
    begin = end;
  }
}

/** Indices of the texts of each pass: in the given order, as many as the budget of tokens allows, at least one. */
function* passesOf(order: readonly number[], encoded: readonly EncodedText[], budget: number) {
  for (let begin = 0; begin < order.length; ) {
    const batch: number[] = [];
    let tokens = 0;
    for (const index of order.slice(begin, begin + budget)) {
      if (batch.length > 0 && tokens + length(encoded, index) > budget) break;
      batch.push(index);
      tokens += length(encoded, index);
    }
    yield batch;
    begin += batch.length;
  }
}

function length(encoded: readonly EncodedText[], index: number): number {
  return encoded[index]?.ids.length ?? 0;
}

/** The next power of four times `least`: 256, 1,024, 4,096 … */
function roundCapacity(size: number, least = 256): number {
  let capacity = least;
  while (capacity < size) capacity *= 4;
  return capacity;
}
