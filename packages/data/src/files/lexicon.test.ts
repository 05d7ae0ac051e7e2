/** Lexicons in MUSE's and PanLex-like layouts, and mistakes with their file and line. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LexiconOptions, readLexicons } from './lexicon.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-lexicon-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(name: string, text: string, options: LexiconOptions = {}) {
  const path = join(folder, name);
  await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return readLexicons(path, options);
}

test('MUSE: space or tab, several translations, languages from the name', async () => {
  const [lexicon, ...rest] = await read('en-de.0-5000.txt', 'Dog hund\ndog  köter\r\n\ncat\tkatze\nno no\n');
  expect(rest).toEqual([]);
  expect(lexicon).toMatchObject({ from: 'en', to: 'de', size: 2 });
  expect(lexicon!.translations('DOG')).toEqual(['hund', 'köter']);
  expect(lexicon!.translations('no')).toBeUndefined();
});

test('a table with phrases and three-letter codes; gzipped', async () => {
  const [lexicon] = await read('eng-fin.tsv.gz', 'dog\tkoira\nhot dog\tnakki\ncoffee\tkuppi kahvia\n');
  expect(lexicon).toMatchObject({ from: 'en', to: 'fi', size: 3 });
  expect(lexicon!.translations('coffee')).toEqual(['kuppi kahvia']);
});

test('languages in columns make one lexicon per pair; options name what the file does not', async () => {
  const lexicons = await read('panlex.tsv', 'eng\tdog\tdeu\tHund\nen\tdog\tfi\tkoira\nen\tcat\tde\tKatze\n');
  expect(lexicons.map(({ from, to, size }) => [from, to, size])).toEqual([
    ['en', 'de', 2],
    ['en', 'fi', 1],
  ]);
  expect(await read('words.txt', 'a b\n', { from: 'English', to: 'pt_BR' })).toMatchObject([
    { from: 'en', to: 'pt-br' },
  ]);
});

test.each([
  ['en-de.txt', 'dog hund\nhot dog wurst\n', {}, 'INPUT_COLUMN', /en-de\.txt:2: .*received 3 fields/],
  ['en-de.txt', 'dog\n', {}, 'INPUT_COLUMN', /en-de\.txt:1: .*received 1 field;/],
  ['words.txt', 'dog hund\n', {}, 'INPUT_LANGUAGE', /words\.txt: the languages are unknown/],
  ['words.txt', 'dog hund\n', { from: 'Englisch', to: 'de' }, 'INPUT_LANGUAGE', /words\.txt: .*'Englisch'/],
  ['x.tsv', 'en\tdog\t???\thund\n', {}, 'INPUT_LANGUAGE', /x\.tsv:1: /],
  ['en-de.txt', '\nsame same\n', {}, 'INPUT_EMPTY', /en-de\.txt: there is no entry/],
] as const)('%s: %j is refused', async (name, text, options, code, message) => {
  const refusal = await read(name, text, options).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) });
});

test('several files: a glob and a list, languages from each name', async () => {
  for (const lang of ['sv', 'nb']) await writeFile(join(folder, `is-${lang}.txt`), 'hundur hund\n');
  const pairs = async (paths: string | string[]) =>
    (await readLexicons(paths)).map(({ from, to }) => [from, to]);
  const both = [
    ['is', 'nb'],
    ['is', 'sv'],
  ];
  expect(await pairs(join(folder, 'is-*.txt'))).toEqual(both);
  expect(await pairs([join(folder, 'is-nb.txt'), join(folder, 'is-s?.txt')])).toEqual(both);
  await expect(readLexicons(folder)).rejects.toThrow('give a glob such as');
});
