import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { macroMean } from '../significance/sample.js';
import { readSystems } from './read-systems.js';

let folder = '';
const at = (name: string) => join(folder, name);
const put = (name: string, value: unknown) => writeFile(at(name), JSON.stringify(value));

const perQuery = (values: readonly (number | null)[], langs = ['en', 'de']) => ({
  queries: ['q0_en', 'q0_de'],
  langs,
  questions: ['q0', 'q0'],
  pools: { en: { AP: values }, de: { AP: values } },
  multilingual: { AP: values },
  rank_distance: [3, 5],
});
const parallel = { collection: 'c', profile: 'trec_eval', map_measure: 'AP', summary: {} };
const judged = (values: readonly number[], collection = 'sci') => ({
  collection,
  documents: 5183,
  profile: 'beir',
  by_query_lang: { en: {} },
  per_query: Object.fromEntries(values.map((value, i) => [`q${i}`, { 'nDCG@10': value, RR: 1 }])),
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-systems-'));
  await put('a.json', { ...parallel, per_query: perQuery([0.5, 0.7]) });
  await put('labelled.json', { ...parallel, label: 'mine', per_query: perQuery([0.1, 0.2]) });
  await mkdir(at('run,seed=0'));
  await put('run,seed=0/evaluation.json', parallel);
  await put('run,seed=0/per-query.json', perQuery([0.2, 0.4]));
  await put('without.json', parallel);
  await put('half.json', { ...parallel, per_query: perQuery([0.5, null]) });
  for (const content of ['aa', 'bb']) {
    await put(`${content}.json`, { ...parallel, per_query: { content, ...perQuery([0.5, 0.7]) } });
  }
  await mkdir(at('diverged'));
  await put('diverged/run.json', { failed: 'the loss is NaN', summary: null });
  await mkdir(at('empty'));
  await put('other.json', { ...parallel, collection: 'd', per_query: perQuery([0.5, 0.7]) });
  await put('one.json', { reports: [judged([0.25, 0.5])] });
  await put('two.json', { reports: [judged([0.25, 0.5]), judged([1], 'fiqa')] });
  await put('several.json', { reports: [{ ...judged([1]), by_query_lang: { en: {}, de: {} } }] });
  await put('subset.json', { reports: [{ ...judged([0.25, 0.5]), documents: 300 }] });
  await put('none.json', { anything: 1 });
  await writeFile(at('broken.json'), '{');
});
afterAll(() => rm(folder, { recursive: true }));

const means = async (...names: string[]) =>
  (await readSystems(names.map(at))).map(({ label, samples }) => [
    label,
    Object.fromEntries([...samples].map(([figure, sample]) => [figure, macroMean(sample)])),
  ]);

test('reports with values of single questions, and runs of a sweep, whose values lie beside', async () => {
  const figures = (cell: number) => ({
    'AP monolingual': cell,
    'AP cross-lingual': cell,
    'AP multilingual': cell,
    'rank distance': 4,
  });
  const found = await means('a.json', 'labelled.json', 'run,seed=0');
  expect(found.map(([label]) => label)).toEqual(['a', 'mine', 'run,seed=0']);
  for (const [index, cell] of [0.6, 0.15, 0.3].entries()) {
    for (const [figure, value] of Object.entries(figures(cell))) {
      expect((found[index]![1] as Record<string, number>)[figure]).toBeCloseTo(value, 12);
    }
  }
});

test('judged collections, each with a figure a measure', async () => {
  expect(await means('one.json')).toEqual([['one', { 'nDCG@10': 0.375, RR: 1 }]]);
  const [[, figures]] = (await means('two.json')) as [[string, object]];
  expect(Object.keys(figures)).toEqual(['sci nDCG@10', 'sci RR', 'fiqa nDCG@10', 'fiqa RR']);
});

test('two of one name are told apart by their paths', async () => {
  const labels = (await means('a.json', 'a.json')).map(([label]) => label);
  expect(labels).toEqual([at('a.json'), at('a.json')]);
});

test.each([
  [['without.json'], /without\.json: has no values of single questions; evaluate again with --per-query/],
  [
    ['a.json', 'other.json'],
    /other\.json: was measured on other queries than .*a\.json, which has collection c where it has collection d;/,
  ],
  [
    ['one.json', 'two.json'],
    /two\.json: was measured .*, which has nothing more where it has collection fiqa;/,
  ],
  [
    ['one.json', 'subset.json'],
    /which has 5183 documents where it has 300 documents; compare reports of one/,
  ],
  [['one.json', 'a.json'], /one\.json, which has collection sci where it has collection c;/],
  [['a.json', 'half.json'], /which has query q0_de where it has query q0_de in no language;/],
  [
    ['a.json', 'aa.json', 'bb.json'],
    /bb\.json: was measured on other questions or passages than .*aa\.json, though/,
  ],
  [['a.json', 'diverged'], /diverged: has no figures, because its training diverged; leave it out/],
  [['a.json', 'empty'], /empty: is not the folder of a finished run of a sweep/],
  [['several.json'], /sci is a mean over languages/],
  [['none.json'], /is no report of 'synglot eval --json'/],
  [['broken.json'], /broken\.json: cannot be read as JSON/],
  [['missing.json'], /missing\.json: cannot be read \(ENOENT\)/],
] as const)('%j is refused in one line', async (names, message) => {
  const read = readSystems(names.map(at));
  await expect(read).rejects.toThrow(message);
  await expect(read).rejects.toMatchObject({ code: 'INPUT_SIGNIFICANCE' });
});
