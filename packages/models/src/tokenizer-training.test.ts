import { describe, expect, it } from 'vitest';
import { expectModelError, TINY_TEXTS } from './test-support.js';
import { trainTokenizer } from './tokenizer-training.js';
import { trainMerges } from './training/byte-pair.js';
import { Lattices } from './training/lattice.js';
import type { TokenizerProgress } from './training/pace.js';
import { countSubstrings, seedPieces } from './training/seeds.js';
import { trainUnigram } from './training/unigram.js';
import { chooseAlphabet, countWords } from './training/words.js';
import { Trie } from './trie.js';

/** Texts of four scripts from a seed: syllables joined to words, words to texts. */
function corpus(seed: number): string[] {
  let state = seed;
  const next = (n: number) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  const syllables = [
    ['ka', 'to', 'mi', 're', 'lun', 'shi'],
    ['ба', 'ро', 'ни', 'ст'],
    ['山', '川', '森', '林'],
    ['αν', 'θε', 'ρω', 'πος'],
  ];
  return Array.from({ length: 400 }, () => {
    const script = syllables[next(syllables.length)]!;
    const word = () => Array.from({ length: 1 + next(3) }, () => script[next(script.length)]).join('');
    return Array.from({ length: 1 + next(5) }, word).join(' ');
  });
}

const count = (texts: readonly string[]) => countWords(texts, (chunk) => [chunk]);

describe.each(['unigram', 'wordpiece', 'bpe'] as const)('%s', (model) => {
  it('gives the same bytes for the same texts in any order', async () => {
    const texts = corpus(7);
    const options = { vocabularySize: 80, model };
    const first = await trainTokenizer(texts, options);
    const again = await trainTokenizer([...texts].reverse(), options);
    expect(again.files.tokenizer).toBe(first.files.tokenizer);
    expect((await trainTokenizer(corpus(8), options)).files.tokenizer).not.toBe(first.files.tokenizer);
  });

  it('fills its vocabulary, knows its texts, and gives them back', async () => {
    const texts = corpus(7);
    const tokenizer = await trainTokenizer(texts, { vocabularySize: 80, model });
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(80);
    expect(tokenizer.vocabularySize).toBeGreaterThan(70);
    const unknown = tokenizer.tokenToId(tokenizer.specialTokens.get('unk_token')!)!;
    for (const { ids } of await tokenizer.encodeBatch(texts)) expect(ids).not.toContain(unknown);
    if (model === 'wordpiece') return; // BERT parts 山川 at every character and cannot join it again.
    for (const text of texts.slice(0, 20))
      expect(await tokenizer.decode((await tokenizer.encode(text)).ids)).toBe(text);
  });

  it('cuts texts into fewer tokens than characters', async () => {
    const texts = corpus(7).filter((text) => /[a-z]/.test(text));
    const tokenizer = await trainTokenizer(texts, { vocabularySize: 80, model });
    const tokens = (await tokenizer.encodeBatch(texts)).reduce((sum, { ids }) => sum + ids.length - 2, 0);
    expect(tokens).toBeLessThan(texts.join('').length / 2);
  });

  it('lower-cases where asked', async () => {
    const tokenizer = await trainTokenizer(TINY_TEXTS, { vocabularySize: 60, model, lowercase: true });
    expect((await tokenizer.encode('RED Apple')).ids).toEqual((await tokenizer.encode('red apple')).ids);
  });

  it('survives texts that contain special tokens', async () => {
    const texts = Array.from({ length: 30 }, () => 'x<s>y [CLS] <unk> [SEP]');
    const tokenizer = await trainTokenizer(texts, { vocabularySize: 60, model });
    expect((await tokenizer.encode('x y')).ids.length).toBeGreaterThan(2);
  });
});

it.each([
  [[], 100, /no text to train/],
  [['  ', '\n'], 100, /no text to train/],
  [['a'], 6, /vocabulary size 6: expected a whole number of at least 7/],
  [['a'], 10.5, /vocabulary size 10\.5/],
])('refuses %o with %d tokens', async (texts, vocabularySize, message) => {
  await expectModelError(() => trainTokenizer(texts, { vocabularySize }), 'INPUT_TOKENIZER', message);
});

it('the alphabet keeps frequent characters and leaves out the rarest', async () => {
  const words = await count([...Array.from({ length: 5000 }, () => 'ab'), 'z']);
  expect(chooseAlphabet(words, 10)).toEqual(['a', 'b']);
  expect(chooseAlphabet(words, 1)).toEqual(['a']);
});

describe('merges', () => {
  it('are those of the published example', async () => {
    // Sennrich et al. 2016, figure 1, whose first merges are es, est, lo, low (ties: lower ids first).
    const words = await count([
      ...Array(5).fill('low'),
      ...Array(2).fill('lower'),
      ...Array(6).fill('newest'),
      ...Array(3).fill('widest'),
    ]);
    const { merges } = await trainMerges(words, [...'deilnorstw'], 14, '');
    expect(merges.map((pair) => pair.join('+'))).toEqual(['e+s', 'es+t', 'l+o', 'lo+w']);
  });

  it('count a pair that overlaps itself by what is left after merging', async () => {
    const { merges, symbols } = await trainMerges(await count(['aaaa', 'aaaa']), ['a'], 10, '');
    expect(merges).toEqual([
      ['a', 'a'],
      ['aa', 'aa'],
    ]);
    expect(symbols).toEqual(['a', 'aa', 'aaaa']);
  });

  it('do not cross characters outside the alphabet', async () => {
    const words = await count(['axb', 'axb', 'axb']);
    expect((await trainMerges(words, ['a', 'b'], 10, '')).merges).toEqual([]);
  });
});

describe('lattices', () => {
  const pieces = ['a', 'b', 'ab', 'ba'];
  const scores = Float64Array.from([0.4, 0.3, 0.2, 0.1], Math.log);
  const lattices = new Lattices(new Trie(pieces));
  lattices.add([...'aba']);

  it('sum over all ways to cut a text', () => {
    // a|b|a: 0.4·0.3·0.4 = 0.048; ab|a: 0.2·0.4 = 0.08; a|ba: 0.4·0.1 = 0.04; together 0.168.
    const expected = new Float64Array(4);
    lattices.addExpected(0, scores, 1, expected);
    const wanted = [0.048 * 2 + 0.08 + 0.04, 0.048, 0.08, 0.04].map((value) => value / 0.168);
    wanted.forEach((value, i) => {
      expect(expected[i]).toBeCloseTo(value, 12);
    });
  });

  it('find the likeliest, with or without a piece', () => {
    expect(lattices.bestPath(0, scores).map((id) => pieces[id])).toEqual(['ab', 'a']);
    expect(lattices.bestPath(0, scores, 2).map((id) => pieces[id])).toEqual(['a', 'b', 'a']);
    expect(lattices.bestPath(0, scores, 0)).toEqual([]);
  });
});

it('unigram scores are log probabilities that sum to one, and recover planted words', async () => {
  const planted = ['stone', 'river', 'cloud', 'ember'];
  const texts = Array.from(
    { length: 256 },
    (_, i) => planted[i % 4]! + planted[(i >> 2) % 4]! + planted[(i >> 4) % 4]!,
  );
  const words = await count(texts);
  const alphabet = chooseAlphabet(words, 100);
  const pieces = await trainUnigram(words, alphabet, alphabet.length + 4);
  expect(
    pieces
      .slice(0, 4)
      .map(({ piece }) => piece)
      .sort(),
  ).toEqual([...planted].sort());
  expect(pieces.length).toBe(alphabet.length + 4);
  const total = pieces.reduce((sum, { score }) => sum + Math.exp(score), 0);
  expect(total).toBeGreaterThan(0.9);
  expect(total).toBeLessThanOrEqual(1.0001);
});

describe('seeds', () => {
  const texts = corpus(11);
  const bySize = async (size: number) => {
    const words = await count(texts.flatMap((text) => text.split(' ')));
    return seedPieces(words, chooseAlphabet(words, 1000), size);
  };

  it('are the substrings that cover most text, ties in the order of their code units', async () => {
    const all = await bySize(100_000);
    const words = await count(texts.flatMap((text) => text.split(' ')));
    const expected = new Map<string, number>();
    for (const { characters, count: times } of words) {
      for (let begin = 0; begin < characters.length; begin++) {
        for (let end = begin + 2; end <= Math.min(characters.length, begin + 16); end++) {
          const piece = characters.slice(begin, end).join('');
          expected.set(piece, (expected.get(piece) ?? 0) + times);
        }
      }
    }
    const longer = [...expected]
      .filter(([, times]) => times > 1)
      .map(([piece, times]): [string, number] => [piece, times * [...piece].length])
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const singles = all.length - longer.length;
    expect(all.slice(singles)).toEqual(longer);
    for (const size of [singles, singles + 1, singles + 40])
      expect(await bySize(size)).toEqual(all.slice(0, size));
  });

  it('of more text than can be counted are the frequent ones, the same each time', async () => {
    const words = await count(texts.flatMap((text) => text.split(' ')));
    const alphabet = chooseAlphabet(words, 1000);
    const whole = await countSubstrings(words, alphabet);
    const most = Math.ceil(whole.size / 3);
    const few = await countSubstrings(words, alphabet, undefined, most);
    expect(few.size).toBeLessThanOrEqual(most);
    expect([...few]).toEqual([...(await countSubstrings(words, alphabet, undefined, most))]);
    for (const letter of alphabet) expect(few.get(letter), letter).toBe(whole.get(letter));
    const frequent = [...whole].sort(([, n], [, m]) => m - n).slice(0, 40);
    expect([...few.keys()]).toEqual(expect.arrayContaining(frequent.map(([piece]) => piece)));
  });
});

it('tells how far it is, and lets others have their turn', async () => {
  const stages: TokenizerProgress[] = [];
  let turns = 0;
  const texts = corpus(7);
  async function* slow() {
    for (const [index, text] of texts.entries()) {
      // Longer than training goes on without a pause.
      if (index === 200) await new Promise((resolve) => setTimeout(resolve, 60));
      yield text;
    }
  }
  const tokenizer = await trainTokenizer(slow(), {
    vocabularySize: 80,
    onProgress: (progress) => {
      stages.push(progress);
      setImmediate(() => turns++);
    },
  });
  expect(stages[0]).toEqual({ stage: 'texts', done: 201, total: 0 });
  expect(turns).toBeGreaterThan(0);
  const { files } = await trainTokenizer(texts, { vocabularySize: 80 });
  expect(tokenizer.files.tokenizer).toBe(files.tokenizer);
});
