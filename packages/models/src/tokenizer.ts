/**
 * Text to token ids by Hugging Face's libraries (Rust in Node, JavaScript in a page), with special tokens and
 * truncation done here. It knows nothing of weights; `checkTokenizer` says whether it fits a model.
 */

import type { EncoderConfig } from '@synglot/nn';
import { readTokenizerJson } from '#tokenizer-library';
import { ModelError, reasonOf } from './errors.js';
import { isJsonObject, type JsonObject, parseJson } from './json.js';
import {
  assemble,
  type EncodedText,
  type PairTruncation,
  probeTemplate,
  shareRoom,
  type Template,
} from './token-template.js';
import type { TokenizerLibrary } from './tokenizer-library/library.js';

/** How long an encoded text may be, and which part of a pair is cut. */
export interface EncodeOptions {
  /** Longest result in tokens, special ones included; absent: no limit. */
  readonly maxLength?: number;
  /** For pairs; default `longest_first`. */
  readonly truncation?: PairTruncation;
}

/** The JSON files from which a tokenizer can be made again. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  readonly tokenizer: string;
  /** `tokenizer_config.json`, where the source had one. */
  readonly config?: JsonObject;
}

/** Names of special tokens by role, in the order in which they are looked for. */
const ROLES = {
  pad_token: ['[PAD]', '<pad>'],
  unk_token: ['[UNK]', '<unk>'],
  cls_token: ['[CLS]', '<s>'],
  sep_token: ['[SEP]', '</s>'],
  mask_token: ['[MASK]', '<mask>'],
} as const;

/** Roles of special tokens, as `tokenizer_config.json` names them. */
export const specialRoles = Object.keys(ROLES);

/** A loaded tokenizer. Padding and truncation that its file may carry are off. */
export class Tokenizer {
  readonly #library: TokenizerLibrary;
  readonly #single: Template;
  readonly #pair: Template;
  readonly #specialTokens: ReadonlyMap<string, string>;

  /** Where it came from, for messages. */
  readonly source: string;
  /** Its files as read. */
  readonly files: TokenizerFiles;
  /** Highest id plus one: rows that a model's table must have. */
  readonly vocabularySize: number;
  /** Highest type id of a pair plus one: 2 for BERT's template, 1 for XLM-R's. */
  readonly typeCount: number;
  /** Id of the padding token, if there is one. */
  readonly padId: number | undefined;

  private constructor(
    library: TokenizerLibrary,
    templates: [Template, Template],
    source: string,
    files: TokenizerFiles,
  ) {
    this.#library = library;
    [this.#single, this.#pair] = templates;
    this.source = source;
    this.files = files;
    this.vocabularySize = library.vocabularySize;
    this.typeCount = Math.max(...this.#pair.typeIds.flat(), ...this.#pair.textTypes) + 1;
    const special = new Map<string, string>();
    for (const [role, names] of Object.entries(ROLES)) {
      const stated = tokenText(files.config?.[role]);
      const name = [...(stated === undefined ? [] : [stated]), ...names].find(
        (n) => library.tokenToId(n) !== undefined,
      );
      if (name !== undefined) special.set(role, name);
    }
    this.#specialTokens = special;
    const pad = special.get('pad_token');
    this.padId = pad === undefined ? undefined : library.tokenToId(pad);
  }

  /**
   * Builds a tokenizer from the text of a `tokenizer.json`.
   *
   * @param source - the file's path, for messages
   * @throws ModelError `INPUT_TOKENIZER` if the library refuses it.
   */
  static async fromJson(tokenizer: string, source: string, config?: JsonObject): Promise<Tokenizer> {
    let library: TokenizerLibrary;
    try {
      library = readTokenizerJson(tokenizer);
    } catch (error) {
      throw new ModelError(
        'INPUT_TOKENIZER',
        `${source}: not a tokenizer.json that can be read (${reasonOf(error)}); get the file again`,
        { cause: error },
      );
    }
    const templates: [Template, Template] = [
      await probeTemplate(library, 1, source),
      await probeTemplate(library, 2, source),
    ];
    return new Tokenizer(library, templates, source, { tokenizer, ...(config !== undefined && { config }) });
  }

  /** Special tokens by the names that `tokenizer_config.json` uses: `pad_token`, `unk_token`, … */
  get specialTokens(): ReadonlyMap<string, string> {
    return this.#specialTokens;
  }

  /** Id of a token, or undefined if the vocabulary lacks it. */
  tokenToId(token: string): number | undefined {
    return this.#library.tokenToId(token);
  }

  /** Token of an id, or undefined if the vocabulary lacks it. */
  idToToken(id: number): string | undefined {
    return this.#library.idToToken(id);
  }

  /** Encodes one text. */
  async encode(text: string, options: EncodeOptions = {}): Promise<EncodedText> {
    const [encoded] = await this.encodeBatch([text], options);
    return encoded!;
  }

  /** Encodes many texts, in Node off the main thread; results in the order of the texts. */
  async encodeBatch(texts: readonly string[], options: EncodeOptions = {}): Promise<EncodedText[]> {
    const room = this.#room(this.#single, options);
    const bare = await this.#library.encode(texts);
    return bare.map((ids) => assemble(this.#single, [ids], [Math.min(ids.length, room)]));
  }

  /** Encodes a text and its context. */
  async encodePair(text: string, context: string, options: EncodeOptions = {}): Promise<EncodedText> {
    const [encoded] = await this.encodePairs([[text, context]], options);
    return encoded!;
  }

  /** Encodes pairs of a text and its context, as cross-encoders and LAReQA's sentences need them. */
  async encodePairs(
    pairs: readonly (readonly [text: string, context: string])[],
    options: EncodeOptions = {},
  ): Promise<EncodedText[]> {
    const room = this.#room(this.#pair, options);
    const bare = await this.#library.encode(pairs.flat());
    return pairs.map((_, i) => {
      const texts = [bare[2 * i]!, bare[2 * i + 1]!] as const;
      const lengths = shareRoom(
        texts[0].length,
        texts[1].length,
        room,
        options.truncation ?? 'longest_first',
      );
      return assemble(this.#pair, texts, lengths);
    });
  }

  /** Text of ids, without special tokens. */
  decode(ids: Iterable<number>): Promise<string> {
    return this.#library.decode([...ids]);
  }

  #room(template: Template, { maxLength = Number.POSITIVE_INFINITY }: EncodeOptions): number {
    if (!(maxLength > template.specials)) {
      throw new ModelError(
        'INPUT_TOKENIZER',
        `maximum length ${maxLength} leaves no room for text beside the ${template.specials} special tokens; use at least ${template.specials + 1}`,
      );
    }
    return maxLength - template.specials;
  }
}

/** `"[PAD]"`, or `{"content": "[PAD]", …}` in older files. */
export function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (
    typeof value === 'object' &&
    value !== null &&
    'content' in value &&
    typeof value.content === 'string'
  ) {
    return value.content;
  }
  return undefined;
}

/**
 * Checks that every id the tokenizer can give has a row in the model's tables.
 *
 * @throws ModelError `INPUT_TOKENIZER`
 */
export function checkTokenizer(tokenizer: Tokenizer, config: EncoderConfig, configPath: string): void {
  if (tokenizer.vocabularySize > config.vocabularySize) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${tokenizer.source}: has ids up to ${tokenizer.vocabularySize - 1}, but ${configPath} gives the model a table of ${config.vocabularySize} rows (vocab_size); use the tokenizer that belongs to the model`,
    );
  }
  if (tokenizer.typeCount > config.typeVocabularySize) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${tokenizer.source}: gives pairs type ids up to ${tokenizer.typeCount - 1}, but ${configPath} gives the model a table of ${config.typeVocabularySize} rows (type_vocab_size); use the tokenizer that belongs to the model`,
    );
  }
  const { padId } = tokenizer;
  if (config.family === 'xlm-roberta' && padId !== undefined && padId !== config.positionOffset - 1) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${tokenizer.source}: its padding token has id ${padId}, but ${configPath} says pad_token_id ${config.positionOffset - 1}, from which XLM-R counts positions; use the tokenizer that belongs to the model`,
    );
  }
}

/** The parsed `tokenizer.json` of a tokenizer. */
export function jsonOf({ files, source }: Tokenizer): JsonObject {
  return parseJson(files.tokenizer, source, 'get the file again') as JsonObject;
}

/** Whether a tokenizer lower-cases texts itself. */
export function lowerCases(tokenizer: Tokenizer): boolean {
  const does = (normalizer: unknown): boolean =>
    isJsonObject(normalizer) &&
    (normalizer.type === 'Lowercase' ||
      normalizer.lowercase === true ||
      (Array.isArray(normalizer.normalizers) && normalizer.normalizers.some(does)));
  return does(jsonOf(tokenizer).normalizer);
}

/** The `tokenizer.json` to save: as read, but without the padding and truncation it may carry. */
export function cleanTokenizerJson(tokenizer: Tokenizer): string {
  const json = jsonOf(tokenizer);
  if ((json.truncation ?? null) === null && (json.padding ?? null) === null) return tokenizer.files.tokenizer;
  return `${JSON.stringify({ ...json, truncation: null, padding: null })}\n`;
}

/** The `tokenizer_config.json` to save: the one read, or one that transformers' generic class understands. */
export function tokenizerConfigJson(tokenizer: Tokenizer, maxLength: number): JsonObject {
  const base = tokenizer.files.config ?? {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...Object.fromEntries(tokenizer.specialTokens),
  };
  return { ...base, model_max_length: maxLength };
}
