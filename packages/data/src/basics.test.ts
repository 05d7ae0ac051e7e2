import { describe, expect, test } from 'vitest';
import { DataError } from './errors.js';
import { Fingerprint, hashNormalisedText, hashText, hashTextHex, normaliseText } from './hash.js';
import { holdOut } from './hold-out.js';
import { normaliseLanguage, selectLanguages } from './languages.js';
import { nearest } from './nearest.js';
import { Permutation } from './permutation.js';
import { Random } from './random.js';
import { pairsFromParallel } from './rows.js';

describe('hashes', () => {
  test('known values stay what they are, for states and splits on disk depend on them', () => {
    expect([hashText(''), hashText('Wörter'), hashText('Wörter', 7)]).toMatchInlineSnapshot(`
      [
        3706697071614817,
        3124267304697774,
        6622476739873293,
      ]
    `);
    expect(hashTextHex('abc')).toMatch(/^[0-9a-f]{14}$/);
  });

  test('no two of 100,000 near texts collide, and all bits are used', () => {
    const hashes = new Set<number>();
    let ones = 0;
    for (let i = 0; i < 100_000; i++) {
      const hash = hashText(`passage ${i}`);
      hashes.add(hash);
      ones += hash >= 2 ** 52 ? 1 : 0;
    }
    expect(hashes.size).toBe(100_000);
    expect(Math.abs(ones / 100_000 - 0.5)).toBeLessThan(0.01);
  });

  test('case, white space and Unicode form make no difference to the normalised hash', () => {
    expect(hashNormalisedText('  Das\tIST\n ein Cafe\u0301 ')).toBe(hashNormalisedText('das ist ein café'));
    expect(hashNormalisedText('das ist ein cafe')).not.toBe(hashNormalisedText('das ist ein café'));
  });

  test.each([' ', '\t', '\n', '\r\n', '\u00a0', '\u2003', '\u2028', '\u3000', '  ', ' \u00a0'])(
    'white space %j between two words, or around them, is one space or none',
    (space) => {
      expect(normaliseText(`a${space}b`)).toBe('a b');
      expect(normaliseText(`${space}a b${space}`)).toBe('a b');
    },
  );

  test('a fingerprint tells order and kind', () => {
    const of = (...values: (string | number)[]) =>
      values.reduce((print, value) => print.add(value), new Fingerprint()).digest();
    expect(of('a', 'b')).toBe(of('a', 'b'));
    expect(new Set([of('a', 'b'), of('b', 'a'), of('ab'), of('1'), of(1), of()]).size).toBe(6);
  });
});

describe('Random', () => {
  test('depends on all keys and on their order', () => {
    const first = (...keys: number[]) => new Random(...keys).uint32();
    const values = [first(1, 2), first(2, 1), first(1), first(1, 2, 0), first(1 + 2 ** 32, 2)];
    expect(new Set(values).size).toBe(5);
    expect(first(1, 2)).toBe(values[0]);
  });

  test('streams of neighbouring keys are uniform and independent', () => {
    const counts = new Array<number>(10).fill(0);
    let sum = 0;
    for (let key = 0; key < 20_000; key++) {
      const random = new Random(5, key);
      sum += random.float();
      counts[random.below(10)]!++;
    }
    expect(Math.abs(sum / 20_000 - 0.5)).toBeLessThan(0.01);
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  test('pick gives different elements, in all orders', () => {
    const seen = new Set<string>();
    for (let key = 0; key < 200; key++) seen.add(new Random(key).pick(['a', 'b', 'c'], 2).join(''));
    expect([...seen].sort()).toEqual(['ab', 'ac', 'ba', 'bc', 'ca', 'cb']);
    expect(new Random(1).pick([1, 2], 5)).toHaveLength(2);
  });
});

describe('Permutation', () => {
  test.each([1, 2, 3, 7, 64, 257, 1000, 4097])('of %i values meets each once', (size) => {
    const permutation = new Permutation(size, 42, 3);
    const seen = new Set(Array.from({ length: size }, (_, i) => permutation.at(i)));
    expect(seen.size).toBe(size);
    expect(Math.max(...seen)).toBe(size - 1);
  });

  test('over many keys every value comes first about equally often', () => {
    const counts = new Array<number>(5).fill(0);
    for (let key = 0; key < 5000; key++) counts[new Permutation(5, 9, key).at(0)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('over many keys all orders of three values come about equally often', () => {
    const orders = new Map<string, number>();
    for (let key = 0; key < 6000; key++) {
      const permutation = new Permutation(3, key);
      const order = [0, 1, 2].map((i) => permutation.at(i)).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('refuses a size it cannot serve', () => {
    expect(() => new Permutation(0)).toThrow('received size 0');
  });
});

describe('holdOut', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `page/${i}`);

  test('holds out the wanted share, the same each time, and more with a larger fraction', () => {
    const tenth = ids.filter((id) => holdOut(id, 0.1, 3));
    expect(Math.abs(tenth.length / ids.length - 0.1)).toBeLessThan(0.01);
    expect(tenth.every((id) => holdOut(id, 0.2, 3))).toBe(true);
    expect(ids.filter((id) => holdOut(id, 0.1, 4))).not.toEqual(tenth);
    expect(ids.some((id) => holdOut(id, 0))).toBe(false);
    expect(ids.every((id) => holdOut(id, 1))).toBe(true);
  });

  test('refuses a fraction that is none', () => {
    expect(() => holdOut('a', 1.5)).toThrow(expect.objectContaining({ code: 'INPUT_OPTION' }));
    expect(() => holdOut('a', Number.NaN)).toThrow(DataError);
  });
});

describe('languages', () => {
  test.each([
    ['pt_BR', 'pt-br'],
    ['zh_CN', 'zh-cn'],
    ['zh-Hans', 'zh-cn'],
    ['zh_TW', 'zh-tw'],
    ['EN', 'en'],
    ['German', 'de'],
    ['vietnamese', 'vi'],
    ['iw', 'he'],
    [' kab ', 'kab'],
    ['ast', 'ast'],
  ])('%s is %s', (written, code) => {
    expect(normaliseLanguage(written)).toBe(code);
  });

  test('what is no language is refused with the nearest name', () => {
    expect(() => normaliseLanguage('Germn')).toThrow("received 'Germn' (did you mean 'german'?)");
    expect(() => normaliseLanguage('')).toThrow(expect.objectContaining({ code: 'INPUT_LANGUAGE' }));
    expect(() => normaliseLanguage('e')).toThrow(DataError);
  });

  test('an unknown language names the nearest that the data have', () => {
    expect(selectLanguages(undefined, ['en', 'fi', 'en'], 'x')).toEqual(['en', 'fi']);
    expect(selectLanguages(['FI', 'English'], ['en', 'fi'], 'x')).toEqual(['fi', 'en']);
    expect(() => selectLanguages(['pt'], ['en', 'pt-br'], 'faq/')).toThrow(
      "faq/: unknown language 'pt' (did you mean 'pt-br'?); the data have en, pt-br",
    );
    expect(() => selectLanguages([], ['en'], 'x')).toThrow('empty');
  });
});

test('nearest finds swapped, missing and cut letters, and nothing far', () => {
  const known = ['monolingual', 'cross-lingual', 'multilingual', 'hybrid'];
  expect(nearest('hybird', known)).toEqual(['hybrid']);
  expect(nearest('monolingul', known)[0]).toBe('monolingual');
  expect(nearest('cross', known)).toEqual(['cross-lingual']);
  expect(nearest('jsonl', ['pairs-jsonl', 'parquet'])).toEqual(['pairs-jsonl']);
  expect(nearest('parquet', known)).toEqual([]);
});

test('pairsFromParallel makes one monolingual pair per key and language', () => {
  const base = { query: 'q', passage: 'p', dataset: 'd', domain: 'm' };
  const pairs = [
    ...pairsFromParallel([
      { ...base, key: 'k', lang: 'en' },
      { ...base, key: 'k', lang: 'fi', passageKey: 'p1' },
    ]),
  ];
  expect(pairs.map((pair) => [pair.query.lang, pair.passage.lang])).toEqual([
    ['en', 'en'],
    ['fi', 'fi'],
  ]);
  expect(pairs.map((pair) => [pair.query.parallelId, pair.passage.parallelId])).toEqual([
    ['k', 'k'],
    ['k', 'p1'],
  ]);
});
