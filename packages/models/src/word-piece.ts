/** BERT's WordPiece tokenizer as a `tokenizer.json`. Reading files is in `tokenizer-files.ts`. */

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
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** The entry of a special token. */
export function specialToken(id: number, content: string): AddedToken {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** BERT's template for one text and for two. */
function bertTemplate(cls: number, sep: number): object {
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

/**
 * The text of a `tokenizer.json` for a BERT vocabulary: what transformers' own converter makes of `vocab.txt`.
 *
 * @param more tokens besides BERT's special ones that are looked for in texts before they are split
 */
export function wordPieceJson(
  vocabulary: ReadonlyMap<string, number>,
  settings: WordPieceSettings,
  more: readonly AddedToken[] = [],
): string {
  const specials = BERT_SPECIAL_TOKENS.flatMap((token) => {
    const id = vocabulary.get(token);
    return id === undefined || more.some((other) => other.id === id) ? [] : [specialToken(id, token)];
  });
  return `${JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...specials, ...more].sort((a, b) => a.id - b.id),
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
