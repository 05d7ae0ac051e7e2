/**
 * The page's tokenizer library gives what the Rust one gives; it runs in Node as it is. Known to differ and left out:
 * characters that Unicode has added or sorted anew since version 7, at which tables of the Rust library end.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { trainTokenizer } from '../tokenizer-training.js';
import { nextTask } from '../training/pace.js';
import type { TokenizerLibrary } from './library.js';
import { readTokenizerJson as readInNode } from './node.js';
import { readTokenizerJson as readInPage } from './page.js';

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/tokenizers/golden.json', import.meta.url), 'utf8'),
) as { texts: string[]; pairs: [string, string][] };
const words = [
  'Wo ist der alte Bahnhof?',
  'Where is the old station?',
  'أين تقع المحطة القديمة؟',
  '旧车站在哪里？',
];

/** Where JavaScript and Rust see other white space, Chinese characters, small letters and spaces to leave out. */
const odd = [
  'one\u0085two \u0085 three\ufefffour \ufeff five\u2028six\u00a0seven',
  '旧\u{20000}車\u{2a6df}\u{2a700}a\u{2b81f}\u{2b820}\u{2b91f}b\u{2b920}\u{2ceaf}\u{2ceb0}\u{2f800}\u{2fa1f}\uf900',
  '\u0085\ufeff snake_case²½Ⅷ٣ 12ab €5+$«Bahnhof»…\u0e2b\u094d\u200d.\ufeff\u0085',
  "Ein Bahnhof , ist das alte ' Haus ' wo der ? n't .",
  'one▁two ▁▁three ▁ four',
  'ΟΔΟΣ ΣΑΣ. ΑΣ\u0301 Ο Σ Σας İI ẞ',
];
const texts = [...words, ...odd, ...golden.texts];

async function agree(json: string): Promise<void> {
  const node: TokenizerLibrary = readInNode(json);
  const page: TokenizerLibrary = readInPage(json);
  expect(page.vocabularySize).toBe(node.vocabularySize);
  for (const token of ['<s>', '[CLS]', '▁', 'a', 'no such token']) {
    expect(page.tokenToId(token), token).toBe(node.tokenToId(token));
  }
  for (const id of [0, 7, 1_000_000]) expect(page.idToToken(id)).toBe(node.idToToken(id));
  const ids = await node.encode(texts);
  expect(await page.encode(texts)).toEqual(ids);
  for (const list of ids) expect(await page.decode(list)).toBe(await node.decode(list));
  for (const text of texts) expect(page.split(text), text).toEqual(node.split(text));
  for (const probe of ['a', '1', 'の']) {
    expect(await page.encodeWithSpecials(probe)).toEqual(await node.encodeWithSpecials(probe));
    expect(await page.encodeWithSpecials(probe, probe)).toEqual(await node.encodeWithSpecials(probe, probe));
  }
}

describe('the library of pages', () => {
  it.each([
    ['unigram', false],
    ['unigram', true],
    ['bpe', true],
    ['wordpiece', false],
    ['wordpiece', true],
  ] as const)('%s, lower case %s: as the Rust library, trained here', async (model, lowercase) => {
    const { files } = await trainTokenizer([...words, ...odd], { vocabularySize: 150, model, lowercase });
    await agree(files.tokenizer);
  });

  it.each([
    { type: 'BertProcessing' },
    { type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: true },
  ])('$type: as the Rust library', async (settings) => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    const post_processor = { ...settings, cls: ['<s>', 0], sep: ['</s>', 2] };
    await agree(JSON.stringify({ ...JSON.parse(files.tokenizer), post_processor }));
  });

  it.each([
    { type: 'BertPreTokenizer' },
    { type: 'Whitespace' },
    { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
    { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false },
    {
      type: 'Sequence',
      pretokenizers: [
        { type: 'WhitespaceSplit' },
        { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
      ],
    },
    { type: 'Punctuation', behavior: 'Isolated' },
    { type: 'Punctuation', behavior: 'Contiguous' },
    { type: 'Digits', individual_digits: true },
    { type: 'Digits', individual_digits: false },
  ])(
    '$type $behavior $individual_digits: texts are split as the Rust library does',
    async (pre_tokenizer) => {
      const { files } = await trainTokenizer([...words, ...odd], { vocabularySize: 150, model: 'wordpiece' });
      const normalizer = { type: 'Strip', strip_left: pre_tokenizer.split !== false, strip_right: true };
      await agree(JSON.stringify({ ...JSON.parse(files.tokenizer), normalizer, pre_tokenizer }));
    },
  );

  it('Split, Punctuation and FixedLength: texts are split as the Rust library does', async () => {
    const { files } = await trainTokenizer([...words, ...odd], { vocabularySize: 150 });
    const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
    const patterns = [
      { String: 'e' },
      { Regex: '\\s+|\\d' },
      { Regex: "'s|[^\\r\\p{L}\\p{N}]?\\p{L}+|\\s+(?!\\S)" },
    ];
    const settings = behaviors.flatMap((behavior) => [
      { type: 'Punctuation', behavior },
      ...[true, false].flatMap((invert) =>
        patterns.map((pattern) => ({ type: 'Split', pattern, behavior, invert })),
      ),
    ]);
    for (const pre_tokenizer of [...settings, { type: 'FixedLength', length: 3 }]) {
      const json = JSON.stringify({ ...JSON.parse(files.tokenizer), pre_tokenizer });
      const [page, node] = [readInPage(json), readInNode(json)];
      for (const text of ['ee 12  e..! €', ...texts]) {
        expect(page.split(text), `${JSON.stringify(pre_tokenizer)} ${text}`).toEqual(node.split(text));
      }
      expect(await page.encode(texts)).toEqual(await node.encode(texts));
    }
  });

  it.each(['unigram', 'bpe', 'wordpiece', 'lower-cased'] as const)('%s: added tokens', async (kind) => {
    const lowercase = kind === 'lower-cased';
    const model = lowercase ? 'wordpiece' : kind;
    const { files } = await trainTokenizer(words, { vocabularySize: 120, model, lowercase });
    const json = JSON.parse(files.tokenizer);
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
    const settings = [
      { content: 'Neu', single_word: true },
      { content: 'Neuer', normalized: true },
      { content: 'Alt Neu', lstrip: true, rstrip: true },
      { content: '[X]', special: true },
      { content: 'ẞ☃', normalized: true, single_word: true, rstrip: true },
    ];
    const first = readInNode(files.tokenizer).vocabularySize;
    const tokens = settings.map((token, at) => ({ ...plain, ...token, id: first + at }));
    json.added_tokens = [...json.added_tokens, ...tokens];
    const page = readInPage(JSON.stringify(json));
    const node = readInNode(JSON.stringify(json));
    const given = [
      'Neu neu NEU Neu_ éNeu Neue Neu.',
      'Neuer neuer xNEUERx NeuerNeu',
      'a\u0085 Alt Neu\u2028 \ufeff\ufeffAlt Neu\ufeff',
      'ẞ☃ ß☃ ßß☃ ẞ☃  Neu☃ ☃ xẞ☃',
      '[X][x] [X',
      'Neu',
    ];
    const ids = await node.encode(given);
    expect(ids.flat()).toEqual(expect.arrayContaining(tokens.map(({ id }) => id)));
    expect(await page.encode(given)).toEqual(ids);
    expect(page.vocabularySize).toBe(first + tokens.length);
  });

  it('unknown characters of words that follow each other are as many tokens', async () => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    const json = { ...JSON.parse(files.tokenizer), pre_tokenizer: { type: 'Whitespace' } };
    const unknown = ['☃☃ ☃ ☃☃☃', 'ein ☃', '☃a☃ ☃'];
    const ids = await readInNode(JSON.stringify(json)).encode(unknown);
    expect(ids[0]).toEqual([3, 3, 3]);
    expect(await readInPage(JSON.stringify(json)).encode(unknown)).toEqual(ids);
  });

  it('unknown characters are their bytes, where the vocabulary has all of them', async () => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    const json = JSON.parse(files.tokenizer);
    const bytes = ['<0xE2>', '<0x98>', '<0x83>', '<0xC3>'].map((piece) => [piece, -20]);
    const model = { ...json.model, byte_fallback: true, vocab: [...json.model.vocab, ...bytes] };
    const text = ['ein ☃☃ ☃ö ö', 'x☃'];
    const ids = await readInNode(JSON.stringify({ ...json, model })).encode(text);
    expect(new Set(ids.flat()).size).toBeGreaterThan(6);
    expect(await readInPage(JSON.stringify({ ...json, model })).encode(text)).toEqual(ids);
  });

  it.each([null, { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }])(
    'no special tokens (%o): a pair has two types',
    async (post_processor) => {
      const { files } = await trainTokenizer(words, { vocabularySize: 90 });
      await agree(JSON.stringify({ ...JSON.parse(files.tokenizer), post_processor }));
    },
  );

  it('a table of SentencePiece that is none is refused', async () => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    for (const bytes of ['', 'short', '\x04\0\0\0abc', '\xff\xff\xff\x7fabcdefgh', '\x05\0\0\0abcdefgh']) {
      const normalizer = { type: 'Precompiled', precompiled_charsmap: btoa(bytes) };
      const json = JSON.stringify({ ...JSON.parse(files.tokenizer), normalizer });
      if (bytes === '') expect(() => readInPage(json)).not.toThrow();
      else
        expect(() => readInPage(json), bytes).toThrow('precompiled_charsmap is not a table of SentencePiece');
    }
  });

  it('decodes, and leaves special tokens out', async () => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    const page = readInPage(files.tokenizer);
    const [ids = []] = await page.encode(['Where is the station?']);
    expect(ids.length).toBeGreaterThan(4);
    expect(await page.decode([0, ...ids, 2])).toBe('Where is the station?');
    expect(await page.decode([])).toBe('');
  });

  it('many texts are those texts one by one', async () => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    const page = readInPage(files.tokenizer);
    const many = Array.from({ length: 200 }, (_, index) => `${words[index % words.length]} ${index}`);
    const alone = await Promise.all(many.map(async (text) => (await page.encode([text]))[0]));
    expect(await page.encode(many)).toEqual(alone);
  });

  it('lets other tasks run while it encodes a few long texts', async () => {
    const { files } = await trainTokenizer(words, { vocabularySize: 90 });
    const page = readInPage(files.tokenizer);
    let encoded = false;
    const meanwhile = async () => {
      let tasks = 0;
      for (await nextTask(); !encoded; await nextTask()) tasks += 1;
      return tasks;
    };
    const tasks = meanwhile();
    // However fast the machine is, a text takes a second of this clock.
    let seconds = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => 1000 * seconds++);
    onTestFinished(() => clock.mockRestore());
    await page.encode(Array.from({ length: 10 }, () => words[1] as string));
    encoded = true;
    expect(await tasks).toBeGreaterThan(5);
  });
});
