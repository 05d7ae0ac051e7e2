/** Code-switching: words in many scripts, cases, rates, determinism, and mistakes in lexicons. */
import { describe, expect, test } from 'vitest';
import { collate } from '../collate.js';
import type { Pair, Row } from '../rows.js';
import { codeSwitching } from './code-switcher.js';
import { type Lexicon, LexiconBuilder } from './lexicon.js';

const lexicon = (from: string, to: string, entries: Record<string, string | readonly string[]>): Lexicon => {
  const builder = new LexiconBuilder(from, to, `${from}-${to}.txt`);
  for (const [word, translations] of Object.entries(entries))
    for (const translation of [translations].flat()) builder.add(word, translation);
  return builder.build();
};
const row = (text: string, lang: string, id = text): Row => ({
  id,
  text,
  lang,
  parallelId: id,
  dataset: 'd',
  domain: 'd',
});
const pairOf = (query: Row, passage: Row, negatives: Row[] = []): Pair => ({ query, passage, negatives });
const everyWord = (lexicons: readonly Lexicon[], text: string, lang: string) => {
  const rewrite = codeSwitching({ lexicons, rate: 1, seed: 0 }, [lang]);
  return rewrite({ index: 0, pairs: [pairOf(row(text, lang), row('-', lang))] });
};

describe('one text', () => {
  const english = { where: 'wo', is: 'ist', the: 'der', station: 'bahnhof', train: 'zug' };
  test.each([
    [
      'punctuation and spaces stay',
      'en',
      'de',
      english,
      'Where  is the train-station?',
      'Wo  ist der zug-bahnhof?',
    ],
    ['all capitals stay', 'en', 'de', english, 'WHERE is Train?', 'WO ist Zug?'],
    ['an unknown word stays', 'en', 'de', english, 'the platform', 'der platform'],
    ['German nouns give no capital away', 'de', 'en', { zug: 'train', der: 'the' }, 'Der Zug', 'The train'],
    ['Turkish has a dotless i', 'tr', 'en', { ışık: 'light' }, 'IŞIK Işık', 'LIGHT Light'],
    ['no spaces in Chinese', 'zh', 'en', { 喜欢: 'like' }, '我喜欢猫', '我 like 猫'],
    ['no spaces from Chinese into Japanese', 'zh', 'ja', { 喜欢: '好き' }, '我喜欢猫', '我好き猫'],
    ['into a script without spaces', 'en', 'zh', { like: '喜欢' }, 'I like cats', 'I 喜欢 cats'],
    ['combining marks', 'en', 'vi', { cafe: 'cà phê', café: 'quán' }, 'cafe\u0301 here', 'quán here'],
    ['Arabic', 'en', 'ar', { book: 'كتاب' }, 'my Book.', 'my كتاب.'],
    ['Thai words are found by dictionary', 'th', 'en', { บ้าน: 'house' }, 'ฉันมีบ้าน', 'ฉันมี house'],
  ] as const)('%s', (_what, from, to, entries, text, expected) => {
    expect(everyWord([lexicon(from, to, entries)], text, from).queries[0]).toBe(expected);
  });

  test('a translation equal to its word is no switch', () => {
    const { queries, metrics } = everyWord(
      [lexicon('en', 'de', { Berlin: 'berlin', a: 'ein' })],
      'a Berlin',
      'en',
    );
    expect(queries[0]).toBe('ein Berlin');
    // The passage "-" has no word.
    expect(metrics).toEqual({ words: 2, switched_words: 1 });
  });
});

describe('many texts', () => {
  const words = Array.from(
    { length: 40 },
    (_, i) => `w${String.fromCharCode(97 + (i % 26))}${'x'.repeat(i)}`,
  );
  const into = (to: string) =>
    lexicon('en', to, Object.fromEntries(words.map((word) => [word, `${to}${word}`])));
  const lexicons = ['de', 'fi', 'ar'].map(into);
  const pairs = Array.from({ length: 50 }, (_, i) =>
    pairOf(row(words.join(' '), 'en', `q${i}`), row(words.join(' '), 'en', `p${i}`), [
      row(words.join(' '), 'en', `n${i}`),
    ]),
  );
  const targetsIn = (text: string) => new Set(text.split(' ').map((word) => /^(de|fi|ar)w/.exec(word)?.[1]));

  test('the rate is kept and the metrics say what was done', () => {
    for (const rate of [0, 0.3, 1]) {
      const { metrics } = codeSwitching({ lexicons, rate, seed: 3 }, ['en'])({ index: 0, pairs });
      expect(metrics.words).toBe(40 * 150);
      // Five standard deviations of a binomial share.
      const deviation = 5 * Math.sqrt((rate * (1 - rate)) / metrics.words!);
      expect(Math.abs(metrics.switched_words! / metrics.words! - rate)).toBeLessThanOrEqual(deviation);
    }
  });

  test('one language per word, or one per text', () => {
    const perWord = codeSwitching({ lexicons, rate: 1, seed: 3 }, ['en'])({ index: 0, pairs });
    expect(targetsIn(perWord.queries[0]!).size).toBe(3);
    const perText = codeSwitching({ lexicons, rate: 1, seed: 3, language: 'per-text' }, ['en'])({
      index: 0,
      pairs,
    });
    expect(perText.queries.every((text) => targetsIn(text).size === 1)).toBe(true);
    expect(new Set(perText.queries.flatMap((text) => [...targetsIn(text)]))).toEqual(
      new Set(['de', 'fi', 'ar']),
    );
  });

  test('sides and languages are chosen; negatives are passages', () => {
    const rewrite = codeSwitching({ lexicons, rate: 1, seed: 3, side: 'passage', languages: ['fi'] }, ['en']);
    const { queries, passages } = rewrite({ index: 0, pairs });
    expect(queries).toEqual(pairs.map(({ query }) => query.text));
    expect(passages).toHaveLength(100);
    expect(passages.every((text) => [...targetsIn(text)].join() === 'fi')).toBe(true);
  });

  test('depends on seed, batch and row alone', () => {
    const make = (seed: number, index: number, some = pairs) =>
      codeSwitching({ lexicons, rate: 0.5, seed }, ['en'])({ index, pairs: some });
    expect(make(1, 7)).toEqual(make(1, 7));
    expect(make(1, 7).queries[0]).not.toBe(make(2, 7).queries[0]);
    expect(make(1, 7).queries[0]).not.toBe(make(1, 8).queries[0]);
    // The same row in another place of the batch.
    expect(make(1, 7, pairs.toReversed()).queries.at(-1)).toBe(make(1, 7).queries[0]);
  });

  test('a batch keeps its masks: duplicates are found by the texts as they were', async () => {
    const rewrite = codeSwitching({ lexicons, rate: 0.5, seed: 1 }, ['en']);
    const encode = (texts: string[]) => texts.map((text) => [text.length]);
    const same = [
      pairOf(row('a', 'en'), row(words.join(' '), 'en', 'x')),
      pairOf(row('b', 'en'), row(words.join(' '), 'en', 'y')),
    ];
    const packed = await collate({ index: 0, pairs: same }, encode, { rewrite });
    expect([...packed.groups]).toEqual([0, 0]);
    expect(packed.ids[2]).not.toBe(packed.ids[3]);
    expect(packed.metrics).toMatchObject({ words: 82 });
  });
});

test('a lexicon of a language serves its regions, unless they have their own', () => {
  const both = [lexicon('pt', 'en', { onibus: 'bus' }), lexicon('pt-br', 'en', { onibus: 'coach' })];
  const rewrite = codeSwitching({ lexicons: both, rate: 1, seed: 0 }, ['pt-br', 'pt-pt', 'pt']);
  const texts = ['pt-br', 'pt-pt', 'pt'].map((lang) =>
    pairOf(row('onibus', lang, lang), row('-', lang, lang)),
  );
  expect(rewrite({ index: 0, pairs: texts }).queries).toEqual(['coach', 'bus', 'bus']);
});

test.each([
  [
    'a lexicon of another language',
    { lexicons: [lexicon('sv', 'en', { hus: 'house' })] },
    'INPUT_LANGUAGE',
    /^sv-en\.txt: .*'sv'.*the data have de, en$/,
  ],
  [
    'a language that no lexicon has',
    { languages: ['fi'] },
    'INPUT_LANGUAGE',
    /`languages`: no lexicon translates into 'fi'; there are de$/,
  ],
  ['a rate above 1', { rate: 2 }, 'INPUT_OPTION', /`rate`: expected a number from 0 to 1 but received 2/],
  ['no lexicon', { lexicons: [] }, 'INPUT_OPTION', /at least one lexicon/],
] as const)('%s is refused', (_what, change, code, message) => {
  const options = { lexicons: [lexicon('en', 'de', { house: 'Haus' })], rate: 0.5, seed: 0, ...change };
  const attempt = () => codeSwitching(options, ['en', 'de']);
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(expect.objectContaining({ code }));
});
