/** A model as an evaluation uses it: questions and passages in, embeddings out, and the key of a store. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import {
  type Checkpoint,
  checkDimension,
  defaultPrompt,
  EmbeddingModel,
  openCheckpoint,
  retrievalUse,
  type TextInput,
} from '@synglot/models';
import { embedTexts, hubProgress } from '../model-progress.js';

export interface EncoderOptions {
  readonly model: string;
  /** The model, where its files were opened before the device. */
  readonly opened?: Checkpoint;
  readonly queryPrefix?: string;
  readonly passagePrefix?: string;
  /** Neither questions nor passages, as in a bitext: passages get the model's default prompt unless one is given. */
  readonly oneKind?: boolean;
  readonly maxLength?: number;
  /** Of questions; default: that of passages. */
  readonly queryMaxLength?: number;
  /** How many numbers embeddings are cut to, the first ones, and then normalised again. */
  readonly dimension?: number;
}

export interface Encoder {
  readonly dimension: number;
  /** What passages are encoded with; equal keys, equal embeddings. */
  readonly passageKey: Readonly<Record<string, string | number>>;
  queries(texts: readonly TextInput[]): Promise<Float32Array>;
  passages(texts: readonly TextInput[]): Promise<Float32Array>;
  /** Passages without a progress bar of their own. */
  passageChunk(texts: readonly string[]): Promise<Float32Array>;
}

/** Opens the files of a model, which needs no device. */
export function openModel(model: string): Promise<Checkpoint> {
  return openCheckpoint(model, { onProgress: hubProgress() });
}

/** Opens a model for questions and passages; prefixes are the model's own unless given. */
export async function openEncoder(executor: Executor, options: EncoderOptions): Promise<Encoder> {
  const checkpoint = options.opened ?? (await openModel(options.model));
  const model = await EmbeddingModel.load(executor, checkpoint);
  const { query, passage, normalize } = retrievalUse(checkpoint, options.model);
  const passagePrefix = options.passagePrefix ?? (options.oneKind ? defaultPrompt(checkpoint) : passage);
  const maxLength = Math.min(options.maxLength ?? checkpoint.maxLength, checkpoint.maxLength);
  const { dimension = model.dimension } = options;
  checkDimension(dimension, model.dimension);
  const queryMaxLength = Math.min(options.queryMaxLength ?? maxLength, checkpoint.maxLength);
  const embed = (label: string, texts: readonly TextInput[], prefix: string, maxLength: number) =>
    embedTexts(model, label, texts, { prefix, maxLength, dimension, normalize });
  return {
    dimension,
    passageKey: {
      model: await fingerprint(checkpoint),
      passage_prefix: passagePrefix,
      max_length: maxLength,
      ...(dimension === model.dimension ? {} : { dimension }),
      ...(normalize ? { score: 'cosine' } : {}),
    },
    queries: (texts) => embed('questions', texts, options.queryPrefix ?? query, queryMaxLength),
    passages: (texts) => embed('candidates', texts, passagePrefix, maxLength),
    passageChunk: (texts) => model.embed(texts, { prefix: passagePrefix, maxLength, dimension, normalize }),
  };
}

/** SHA-256 over the files of a model's folder that decide what it computes, and of the one under an adapter. */
async function fingerprint({ source, baseSource, tokenizer }: Checkpoint): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of [source, ...(baseSource === undefined ? [] : [baseSource])]) {
    const names = (await readdir(folder, { recursive: true })).map(String).sort();
    for (const name of names) {
      const path = join(folder, name);
      // A vocab.txt counts where it is the tokenizer.
      if (!/\.(safetensors|json)$/.test(name) && path !== tokenizer.source) continue;
      hash.update(`${name}\n`);
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    }
  }
  return hash.digest('hex').slice(0, 32);
}
