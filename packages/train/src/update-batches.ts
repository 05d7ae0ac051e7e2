/**
 * The batches of updates: drawn in the sampler's order and tokenized ahead while the device works.
 * `update-runner.ts` computes with them.
 */
import { type Batch, type CollateOptions, collate, type Encode, type PackedBatch } from '@synglot/data';

/** Where batches come from: a `BatchSampler`, or your own. What it draws next depends only on its state. */
export interface BatchSource {
  /** The next batch; there is no last one. */
  next(): Batch;
  /** Plain JSON, which goes into checkpoints. */
  state(): unknown;
  /** Continues from a state that `state` has returned. */
  restore(state: unknown): void;
}

/** Where batches come from, and how they become tokens. */
export interface UpdateBatchesOptions {
  readonly sampler: BatchSource;
  /** Texts to token ids, special tokens included, truncated. */
  readonly encode: Encode;
  readonly collate?: CollateOptions;
  /** Batches whose gradients are averaged for one update. Default 1. */
  readonly accumulation?: number;
  /** Updates whose batches are drawn and tokenized ahead, while the device works. Default 2; the bits are the same. */
  readonly prefetch?: number;
}

/** A batch and its tokens. */
export interface PreparedBatch {
  readonly batch: Batch;
  readonly packed: PackedBatch;
}

/** What one update is computed from. */
export interface PreparedUpdate {
  readonly batches: readonly PreparedBatch[];
  /** The sampler's state after these batches were drawn. */
  readonly samplerState: unknown;
}

/** Draws and tokenizes the batches of updates ahead, in order. */
export class UpdateBatches {
  readonly #options: UpdateBatchesOptions;
  /** The next updates' batches in order; a failure is reported when the batches are due. */
  #ahead: Promise<PreparedUpdate>[] = [];

  constructor(options: UpdateBatchesOptions) {
    this.#options = options;
  }

  /** The batches of the next update. Rejects with what failed while they were tokenized. */
  next(): Promise<PreparedUpdate> {
    return this.#ahead.shift() ?? this.#prepare();
  }

  /** Starts to prepare batches up to `prefetch` updates ahead, but not beyond the `left` updates still to come. */
  prepareAhead(left: number): void {
    while (this.#ahead.length < Math.min(this.#options.prefetch ?? 2, left)) {
      const next = this.#prepare();
      next.catch(() => undefined);
      this.#ahead.push(next);
    }
  }

  /** Draws from this state of the sampler on and forgets what was drawn ahead. */
  restart(samplerState: unknown): void {
    this.#options.sampler.restore(samplerState);
    this.#ahead = [];
  }

  /** Waits for what is being tokenized; never rejects. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#ahead);
  }

  /** Tokenizes a validation batch, whose texts are not rewritten: the loss is that of the original texts. */
  async tokenizeAsIs(batch: Batch): Promise<PreparedBatch> {
    const { rewrite: _rewrite, ...rest } = this.#options.collate ?? {};
    return { batch, packed: await collate(batch, this.#options.encode, rest) };
  }

  /** Draws at once, in the order of the calls, before it awaits the tokenizer. */
  async #prepare(): Promise<PreparedUpdate> {
    const { sampler, encode, collate: options = {}, accumulation = 1 } = this.#options;
    const drawn = Array.from({ length: accumulation }, () => sampler.next());
    const samplerState = sampler.state();
    const batches = [];
    for (const batch of drawn) batches.push({ batch, packed: await collate(batch, encode, options) });
    return { batches, samplerState };
  }
}
