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
export function specialToken(id: number, content: string): object {
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
