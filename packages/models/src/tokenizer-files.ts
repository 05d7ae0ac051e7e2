/**
 * Finds and reads a folder's tokenizer: `tokenizer.json`, `tokenizer.json.gz`, or BERT's `vocab.txt`.
 * Encoding itself is in `tokenizer.ts`.
 */

import { modelSource } from '#model-source';
import { ModelError, reasonOf } from './errors.js';
import { isJsonObject, type JsonObject } from './json.js';
import { readJsonObjectIfPresent } from './json-files.js';
import { specialRoles, Tokenizer, tokenText } from './tokenizer.js';
import { type AddedToken, wordPieceJson } from './word-piece.js';

/**
 * Parses `vocab.txt`: one token per line; its id is the line's number from 0.
 *
 * @throws ModelError `INPUT_TOKENIZER` if a token that BERT needs is missing, or a line is empty.
 */
export function parseVocabulary(text: string, path: string): Map<string, number> {
  // Only the line feed separates tokens: some vocabularies hold U+2028 and the like.
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop();
  const vocabulary = new Map<string, number>();
  lines.forEach((token, id) => {
    const earlier = vocabulary.get(token);
    if (token === '' || earlier !== undefined) {
      const fault =
        token === '' ? 'empty line' : `token ${JSON.stringify(token)} is on line ${earlier! + 1} already`;
      throw new ModelError(
        'INPUT_TOKENIZER',
        `${path}:${id + 1}: ${fault}, expected one new token a line; get the file again`,
      );
    }
    vocabulary.set(token, id);
  });
  for (const token of ['[UNK]', '[CLS]', '[SEP]']) {
    if (vocabulary.has(token)) continue;
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${path}: no ${token} among its ${vocabulary.size} tokens, expected BERT's vocabulary; use a tokenizer.json instead`,
    );
  }
  return vocabulary;
}

/** A capital Latin letter outside special tokens: uncased vocabularies hold none, only rare other capitals. */
function looksCased(vocabulary: ReadonlyMap<string, number>): boolean {
  for (const token of vocabulary.keys()) if (/[A-Z]/.test(token) && !/^\[.*\]$/.test(token)) return true;
  return false;
}

/** The text in a tokenizer's file. */
async function decode(bytes: Uint8Array, path: string): Promise<string> {
  try {
    const plain = path.endsWith('.gz') ? await modelSource.gunzip(bytes) : bytes;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (error) {
    const message = `${path}: cannot be read (${reasonOf(error)}); get the file again`;
    throw new ModelError('INPUT_TOKENIZER', message, { cause: error });
  }
}

/** Tokens that were added to a `vocab.txt`; older versions of transformers keep them in a file of their own. */
async function addedTokens(folder: string, config: JsonObject | undefined): Promise<AddedToken[]> {
  const { added_tokens_decoder: tokens } = config ?? {};
  if (isJsonObject(tokens)) {
    return Object.entries(tokens).map(([id, token]) => ({ ...(token as AddedToken), id: Number(id) }));
  }
  const ids = await readJsonObjectIfPresent(modelSource.join(folder, 'added_tokens.json'));
  const settings = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  return Object.entries(ids ?? {}).map(([content, id]) => ({ id: Number(id), content, ...settings }));
}

/** The class that transformers takes for a tokenizer whose own file names none, where it reads the file in its own way. */
async function classOfModel(folder: string): Promise<string | undefined> {
  const model = await readJsonObjectIfPresent(modelSource.join(folder, 'config.json'));
  const { tokenizer_class: stated, model_type: type } = model ?? {};
  return typeof stated === 'string' ? stated : type === 'xlm-roberta' ? 'XLMRobertaTokenizer' : undefined;
}

/**
 * `tokenizer_config.json`, with the special tokens that older versions of transformers keep beside it alone, and with
 * the class that follows from `config.json`.
 */
async function readConfig(folder: string, path: string): Promise<JsonObject | undefined> {
  const config = await readJsonObjectIfPresent(path);
  const model = typeof config?.tokenizer_class === 'string' ? undefined : await classOfModel(folder);
  // Without the file, BERT's case is that of the vocabulary.
  if (config === undefined && !model?.startsWith('XLMRoberta')) return undefined;
  const complete = specialRoles.every((role) => tokenText(config?.[role]) !== undefined);
  const beside = complete
    ? undefined
    : await readJsonObjectIfPresent(modelSource.join(folder, 'special_tokens_map.json'));
  const special = Object.entries(beside ?? {}).flatMap(([role, value]) => {
    const token = role.endsWith('_token') ? tokenText(value) : undefined;
    return token === undefined ? [] : [[role, token]];
  });
  return { ...(model && { tokenizer_class: model }), ...Object.fromEntries(special), ...config };
}

/** A `tokenizer.json` as transformers' own class for it reads the file. */
function asConfigured(text: string, config: JsonObject | undefined): string {
  if (config === undefined) return text;
  switch (config.tokenizer_class ?? 'BertTokenizer') {
    case 'BertTokenizer':
    case 'BertTokenizerFast':
      return withChanged(text, 'normalizer', (value) => asBertReads(value, config));
    case 'XLMRobertaTokenizer':
    case 'XLMRobertaTokenizerFast':
      return withChanged(text, 'pre_tokenizer', asXlmRobertaReads);
    default:
      return text;
  }
}

/** Changes the object without others in it that `key` has, if it has one. All of the text would take long to parse. */
function withChanged(text: string, key: string, change: (value: JsonObject) => JsonObject): string {
  const found = new RegExp(`"${key}"\\s*:\\s*(\\{[^{}]*\\})`).exec(text);
  if (found === null) return text;
  let value: JsonObject;
  try {
    value = JSON.parse(found[1]!) as JsonObject;
  } catch {
    // The library says what is wrong with it.
    return text;
  }
  const changed = change(value);
  if (changed === value) return text;
  const end = found.index + found[0].length;
  return `${text.slice(0, end - found[1]!.length)}${JSON.stringify(changed)}${text.slice(end)}`;
}

/** Case, accents and Chinese characters of BERT's texts, with transformers' defaults for what the file leaves open. */
function bertSettings({
  do_lower_case: lower,
  strip_accents: strip,
  tokenize_chinese_chars: chinese,
}: JsonObject) {
  return {
    lowercase: lower !== false,
    stripAccents: typeof strip === 'boolean' ? strip : null,
    handleChineseChars: chinese !== false,
  };
}

/** What `tokenizer_config.json` says, and what transformers takes it to say, instead of the normalizer's own. */
function asBertReads(normalizer: JsonObject, config: JsonObject): JsonObject {
  if (normalizer.type !== 'BertNormalizer') return normalizer;
  const { lowercase, stripAccents: strip_accents, handleChineseChars } = bertSettings(config);
  const changed = { ...normalizer, lowercase, strip_accents, handle_chinese_chars: handleChineseChars };
  return JSON.stringify(changed) === JSON.stringify(normalizer) ? normalizer : changed;
}

/** As in SentencePiece, white space at the ends and runs of it are no tokens; E5's file forgets that. */
function asXlmRobertaReads(split: JsonObject): JsonObject {
  if (split.type !== 'Metaspace') return split;
  return { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, split] };
}

/**
 * Loads the tokenizer of a folder, or a `tokenizer.json`, `tokenizer.json.gz` or `vocab.txt` itself.
 *
 * BERT's texts are lower-cased unless `tokenizer_config.json` has `do_lower_case: false`, whatever `tokenizer.json` says:
 * so transformers does. Where there is no `tokenizer_config.json`, a bare `vocab.txt` with capital letters means cased.
 *
 * @throws ModelError `INPUT_TOKENIZER` if there is none or it is damaged.
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const named = /\.(json|json\.gz|txt)$/.test(path) && (await modelSource.isFile(path));
  const folder = named ? modelSource.join(path, '..') : path;
  const candidates = named
    ? [path]
    : ['tokenizer.json', 'tokenizer.json.gz', 'vocab.txt'].map((name) => modelSource.join(folder, name));
  const configPath = modelSource.join(folder, 'tokenizer_config.json');
  const config = await readConfig(folder, configPath);
  if (config?.truncation_side === 'left') {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${configPath}: truncation_side is "left", which is not supported, expected "right"; choose another checkpoint`,
    );
  }
  for (const file of candidates) {
    const bytes = await modelSource.readBytesIfPresent(file);
    if (bytes === undefined) continue;
    const text = await decode(bytes, file);
    if (!modelSource.basename(file).endsWith('.txt')) {
      return Tokenizer.fromJson(asConfigured(text, config), file, config);
    }
    const vocabulary = parseVocabulary(text, file);
    const settings = bertSettings(config ?? { do_lower_case: !looksCased(vocabulary) });
    const json = wordPieceJson(vocabulary, settings, await addedTokens(folder, config));
    return Tokenizer.fromJson(json, file, config);
  }
  throw new ModelError(
    'INPUT_TOKENIZER',
    `${path}: no tokenizer.json, tokenizer.json.gz or vocab.txt; get the tokenizer.json that belongs to the model`,
  );
}
