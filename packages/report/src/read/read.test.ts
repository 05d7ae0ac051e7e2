import { mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonForHtml } from '../html.js';
import { readReport } from '../write-report.js';
import { sample } from './embeddings.js';
import { inOrder, uniqueLabels } from './find.js';
import { thin } from './training.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-read-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const map = { monolingual: 0.5, cross_lingual: 0.25, multilingual: null };

async function training(name: string, sampling: object): Promise<void> {
  const path = join(folder, name);
  await mkdir(join(path, 'model'), { recursive: true });
  await writeFile(join(path, 'metrics.jsonl'), '{"step":1,"loss":null,"gradient_norm":2}\n');
  await writeFile(join(path, 'config.json'), JSON.stringify({ model: 'base', sampling }));
  await writeFile(join(path, 'eval.json'), JSON.stringify({ task: 't', summary: { map } }));
  await writeFile(join(path, 'model', 'eval.json'), 'weights, not a report');
}

test('evaluations take label, α and starting model from the training folder they are in', async () => {
  await training('run-10', { mode: 'hybrid' });
  await training('run-2', { mode: 'cross-lingual' });
  await training('run-3', { mode: 'hybrid', mode_weights: { multilingual: 1 } });
  const notices: string[] = [];
  await writeFile(join(folder, 'notes.json'), 'not JSON');
  await writeFile(join(folder, 'other.json'), '{"a": 1}');
  const { runs, trainings } = await readReport({
    paths: [folder],
    onNotice: (line) => notices.push(line),
  });
  expect(runs.map(({ label, alpha, series }) => [label, alpha, series])).toEqual([
    ['run-2', 0, 'base'],
    ['run-3', null, 'base'],
    ['run-10', 0.5, 'base'],
  ]);
  expect(runs[0]!.measures).toEqual({ mAP: map });
  expect(runs[0]!.pairs).toBeUndefined();
  expect(trainings[0]!.curves.loss).toEqual([]);
  expect(trainings[0]!.curves.gradient_norm).toEqual([[1, 2]]);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatch(/^left out: .*notes\.json: is no JSON/);
});

test('a TREC run says how many topics it has, whatever they are called', async () => {
  const path = join(folder, 'trec.json');
  const entry = '"run":"r","profile":"trec_eval","summary":{"map":0.5,"runid":"tag"}';
  await writeFile(path, `[{${entry},"per_topic":{"1":{"map":1},"__proto__":{"map":0}}}]`);
  const { collections } = await readReport({ paths: [path] });
  expect(collections[0]!.collections).toEqual([
    { name: 'trec', size: '2 topics, profile trec_eval', means: { map: 0.5 }, intervals: {} },
  ]);
  await writeFile(path, `[{${entry},"per_topic":[]}]`);
  await expect(readReport({ paths: [path] })).rejects.toThrow(
    /trec\.json: '0\.per_topic': expected an object/,
  );
});

test('a run without an update is left out with a notice, and a run of a sweep counts once', async () => {
  const sweep = join(folder, 'sweep');
  for (const name of ['alpha=0', 'alpha=1']) {
    await training(join('sweep', name), { mode: 'hybrid', alpha: 0.5 });
    await rm(join(sweep, name, 'eval.json'));
    for (const file of ['run.json', 'evaluation.json']) {
      await writeFile(join(sweep, name, file), JSON.stringify({ task: 't', label: name, summary: { map } }));
    }
  }
  await writeFile(join(sweep, 'alpha=1', 'metrics.jsonl'), '');
  const notices: string[] = [];
  const { runs, trainings } = await readReport({ paths: [sweep], onNotice: (line) => notices.push(line) });
  expect(runs.map(({ label }) => label)).toEqual(['alpha=0', 'alpha=1']);
  expect(trainings.map(({ label }) => label)).toEqual(['alpha=0']);
  expect(notices).toEqual([expect.stringMatching(/^left out: .*alpha=1.metrics\.jsonl: is empty/)]);
  await rm(sweep, { recursive: true });
});

test('curves of a file with more bytes than a string can hold', async () => {
  const long = join(folder, 'long');
  await mkdir(long);
  const file = await open(join(long, 'metrics.jsonl'), 'w');
  const text = 'x'.repeat(2 ** 19);
  for (let step = 1; step <= 1040; step++)
    await file.write(`{"step":${step},"loss":${step},"text":"${text}"}\n`);
  await file.write('{"step":1041,"lo');
  await file.close();
  expect((await stat(join(long, 'metrics.jsonl'))).size).toBeGreaterThan(2 ** 29);
  const { trainings } = await readReport({ paths: [long], onNotice: (line) => expect.fail(line) });
  expect(trainings[0]!.steps).toBe(1040);
  expect(trainings[0]!.curves.loss.at(-1)).toEqual([1040, 1039.5, 1039, 1040]);
  await rm(long, { recursive: true });
});

test('published rows come with the benchmarks that the runs are of, others do not', async () => {
  const path = join(folder, 'published.json');
  await writeFile(path, JSON.stringify({ task: 'mlqa-r', summary: { map } }));
  const { published } = await readReport({ paths: [path] });
  expect(new Set(published.map(({ task }) => task))).toEqual(new Set(['mlqa-r']));
  expect(published.find(({ label }) => label === 'LaBSE hybrid')?.rankDistance).toBe(195);
});

test('figures are what the evaluation has, so that all tables round them alike', async () => {
  const path = join(folder, 'digits.json');
  // To six digits first, both would be shown as 0.1235 and not as 0.1234.
  const [total, pair] = [0.12344961, 0.12344972];
  const of = { monolingual: total, cross_lingual: total, multilingual: total };
  const languages = { langs: ['de'], monolingual: { de: { AP: pair } }, multilingual: { de: { AP: pair } } };
  const json = { task: 't', map_measure: 'AP', summary: { map: of, measures: { AP: of } }, ...languages };
  await writeFile(path, JSON.stringify(json));
  const [run] = (await readReport({ paths: [path] })).runs;
  expect(run!.measures).toEqual({ mAP: of, AP: of });
  expect(run!.pairs!.matrices).toEqual([{ name: 'AP', values: [[pair]], mixed: [pair] }]);
});

test('runs that were not asked the same are of different benchmarks, whatever their collections are called', async () => {
  const asked = join(folder, 'asked');
  await mkdir(asked);
  const counts = { queries: { de: 2 }, candidates: { de: 3 } };
  const names = {
    a: { langs: ['de'], counts, content: 'one' },
    b: { langs: ['de', 'en'], counts, content: 'two' },
    c: { langs: ['de'], counts, content: 'one' },
    d: { langs: ['de', 'en'], counts, content: 'other passages held out' },
    'e-earlier': { langs: ['de', 'en'], counts },
    f: { langs: ['de', 'en'], counts: { queries: { de: 1 } } },
  };
  for (const [label, more] of Object.entries(names)) {
    const json = { label, collection: 'xquad-r', summary: { map }, ...more };
    await writeFile(join(asked, `${label}.json`), JSON.stringify(json));
  }
  const { runs, published } = await readReport({ paths: [asked] });
  expect(runs.map(({ label, task }) => [label, task])).toEqual([
    ['a', 'xquad-r (de)'],
    ['b', 'xquad-r'],
    ['c', 'xquad-r (de)'],
    ['d', 'xquad-r (2)'],
    ['e-earlier', 'xquad-r'],
    ['f', 'xquad-r (3)'],
  ]);
  // They are of 11 languages.
  expect(published).toEqual([]);
  await rm(asked, { recursive: true });
});

test("a suite's evaluations are runs of one label, each of its benchmark", async () => {
  const path = join(folder, 'all.json');
  const reports = ['xquad-r', 'mlqa-r'].map((collection) => ({ collection, summary: { map } }));
  await writeFile(path, JSON.stringify({ suite: 'mmm', model: 'a', label: 'a', reports }));
  const { runs } = await readReport({ paths: [path] });
  expect(runs.map(({ label, task, facts }) => [label, task, facts])).toEqual([
    ['a', 'xquad-r', [['model', 'a']]],
    ['a', 'mlqa-r', [['model', 'a']]],
  ]);
});

test('joined updates keep mean, least and greatest', () => {
  const points = Array.from({ length: 10 }, (_, i): [number, number] => [i + 1, i % 2]);
  expect(thin(points, 5)).toEqual([1, 3, 5, 7, 9].map((first) => [first + 1, 0.5, 0, 1]));
  expect(thin(points, 10)).toEqual(points);
  expect(thin([], 10)).toEqual([]);
});

test('a sample has the same share of each language, and the rarest is not lost', () => {
  const langs = [...Array<string>(900).fill('en'), ...Array<string>(99).fill('de'), 'fi'];
  const chosen = sample(langs, 100).map((index) => langs[index]);
  const count = (lang: string) => chosen.filter((each) => each === lang).length;
  expect([count('en'), count('de'), count('fi')]).toEqual([90, 9, 1]);
  expect(sample(['a', 'b'], 2)).toEqual([0, 1]);
});

test('files come in the order of the numbers in their names', () => {
  const names = ['run-10', 'a-0.5.json', 'a-0.25.json', 'run-2', 'a-0.json', 'a-1.json', 'b.json', 'b-1'];
  expect(names.sort(inOrder)).toEqual([
    'a-0.json',
    'a-0.25.json',
    'a-0.5.json',
    'a-1.json',
    'b.json',
    'b-1',
    'run-2',
    'run-10',
  ]);
});

test('equal labels become different ones', () => {
  const labels = (...items: { label: string; file?: string }[]) =>
    uniqueLabels(items).map(({ label }) => label);
  const inFolders = ['1/r.json', '2/r.json'].map((file) => ({ label: 'a', file }));
  expect(labels(...inFolders, { label: 'b', file: '3/r.json' })).toEqual(['a (1)', 'a (2)', 'b']);
  const inFiles = ['x.json', 'y.json'].map((file) => ({ label: 'a', file }));
  expect(labels(...inFiles)).toEqual(['a (x.json)', 'a (y.json)']);
  const mixed = ['1/x.json', '1/y.json', '2/x.json'].map((file) => ({ label: 'a', file }));
  expect(labels(...mixed)).toEqual(['a (1/x.json)', 'a (1/y.json)', 'a (2/x.json)']);
  expect(labels({ label: 'a' }, { label: 'a' }, { label: 'a (2)' })).toEqual(['a', 'a (2)', 'a (2) (2)']);
});

test('data in the page holds no character of markup and is the same data', () => {
  const value = { '</script>': '<!-- & \u2028 \u2029 ]]>' };
  expect(jsonForHtml(value)).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(jsonForHtml(value))).toEqual(value);
});
