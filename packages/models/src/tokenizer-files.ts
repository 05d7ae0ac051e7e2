/**
 * Finds and reads a folder's tokenizer: `tokenizer.json`, `tokenizer.json.gz`, or BERT's `vocab.txt`.
 * Encoding itself is in `tokenizer.ts`.
 */

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ModelError, reasonOf } from './errors.js';
import { isFile, readJsonObjectIfPresent } from './files.js';
import { Tokenizer } from './tokenizer.js';

const unzip = promisify(gunzip);

/** BERT's special tokens, in the order of their usual ids. */
export const BERT_SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

export interface WordPieceSettings {
  readonly lowercase: boolean;
  /** Default: as `lowercase`. */
  readonly stripAccents?: boolean | null;
  /** Puts spaces around Chinese characters; default true. */
  readonly handleChineseChars?: boolean;
}

/** An entry of `added_tokens` in a `tokenizer.json`. */
export function specialToken(id: number, content: string): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** BERT's template for one text and for two. */
export function bertTemplate(cls: number, sep: number): object {
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const single = [special('[CLS]', 0), text('A', 0), special('[SEP]', 0)];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, text('B', 1), special('[SEP]', 1)],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [cls], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [sep], tokens: ['[SEP]'] },
    },
  };
}

/** The text of a `tokenizer.json` for a BERT vocabulary: what transformers' own converter makes of `vocab.txt`. */
export function wordPieceJson(vocabulary: ReadonlyMap<string, number>, settings: WordPieceSettings): string {
  const specials = BERT_SPECIAL_TOKENS.map((token) => [vocabulary.get(token), token] as const).filter(
    (entry): entry is [number, (typeof BERT_SPECIAL_TOKENS)[number]] => entry[0] !== undefined,
  );
  return `${JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.sort(([a], [b]) => a - b).map(([id, token]) => specialToken(id, token)),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: settings.handleChineseChars ?? true,
      strip_accents: settings.stripAccents ?? null,
      lowercase: settings.lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: bertTemplate(vocabulary.get('[CLS]')!, vocabulary.get('[SEP]')!),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary),
    },
  })}\n`;
}

/**
 * Parses `vocab.txt`: one token a line, its id the line's number from 0.
 *
 * @throws ModelError `INPUT_TOKENIZER` if a token that BERT needs is missing, or a line is empty.
 */
export function parseVocabulary(text: string, path: string): Map<string, number> {
  // Only the line feed parts tokens: some vocabularies hold U+2028 and the like.
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

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    const plain = path.endsWith('.gz') ? await unzip(bytes) : bytes;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (error) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${path}: cannot be read (${reasonOf(error)}); get the file again`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Loads the tokenizer of a folder, or a `tokenizer.json`, `tokenizer.json.gz` or `vocab.txt` itself.
 *
 * Lower-casing of a bare `vocab.txt` is taken from `tokenizer_config.json` (`do_lower_case`), else from the
 * vocabulary: capital letters in it mean cased.
 *
 * @throws ModelError `INPUT_TOKENIZER` if there is none or it is damaged.
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const named = /\.(json|json\.gz|txt)$/.test(path) && (await isFile(path));
  const folder = named ? join(path, '..') : path;
  const candidates = named
    ? [path]
    : ['tokenizer.json', 'tokenizer.json.gz', 'vocab.txt'].map((name) => join(folder, name));
  const config = await readJsonObjectIfPresent(join(folder, 'tokenizer_config.json'));
  for (const file of candidates) {
    if (!(await isFile(file))) continue;
    const text = await readText(file);
    if (!basename(file).endsWith('.txt')) return Tokenizer.fromJson(text, file, config);
    const vocabulary = parseVocabulary(text, file);
    const { do_lower_case: lower, strip_accents: strip, tokenize_chinese_chars: chinese } = config ?? {};
    const json = wordPieceJson(vocabulary, {
      lowercase: typeof lower === 'boolean' ? lower : !looksCased(vocabulary),
      stripAccents: typeof strip === 'boolean' ? strip : null,
      handleChineseChars: chinese !== false,
    });
    return Tokenizer.fromJson(json, file, config);
  }
  throw new ModelError(
    'INPUT_TOKENIZER',
    `${path}: no tokenizer.json, tokenizer.json.gz or vocab.txt; get the tokenizer.json that belongs to the model`,
  );
}
