/** Sources of several files: which files, in which order, as which data set, and what is said where there are none. */
import { chmod, mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import { openTrainingData, type TrainingSource } from './registry.js';
import { expandPaths } from './shards.js';
import { lines, read, testFiles, texts } from './test-support.js';

const { file, files, refusal } = testFiles();

const pair = (name: string) => ({ query: `q${name}`, passage: `p${name}` });
const queries = async (source: TrainingSource) => (await read(source)).map(({ query }) => query.text);

test('a glob is its files by code units, of one folder or several, without hidden ones', async () => {
  const folder = await files({
    'data/train-10.jsonl': '',
    'data/train-2.jsonl': '',
    'data/train-B.jsonl': '',
    'data/train-a.jsonl': '',
    'data/train-ä.jsonl': '',
    'data/test-0.jsonl': '',
    'data/train-0.jsonl.gz': '',
    'data/.train-3.jsonl': '',
    'b/train-0+1.jsonl': '',
  });
  const found = async (glob: string) =>
    (await expandPaths(join(folder, glob))).map((path) => path.slice(folder.length + 1));
  expect(await found('data/train-*.jsonl')).toEqual(
    ['10', '2', 'B', 'a', 'ä'].map((name) => `data/train-${name}.jsonl`),
  );
  expect(await found('data/train-?.jsonl*')).toEqual(
    ['0.jsonl.gz', '2.jsonl', 'B.jsonl', 'a.jsonl', 'ä.jsonl'].map((name) => `data/train-${name}`),
  );
  expect(await found('*/train-??.jsonl')).toEqual(['data/train-10.jsonl']);
  expect(await found('*/train-0*.jsonl')).toEqual(['b/train-0+1.jsonl']);
  expect(await found('*/test-0.jsonl')).toEqual(['data/test-0.jsonl']);
  expect(await found('data/.train*')).toEqual(['data/.train-3.jsonl']);
});

test('a list keeps its order, and a name with a wildcard in it is a name first', async () => {
  const folder = await files({ 'b*.jsonl': '', 'b1.jsonl': '', 'a.jsonl': '' });
  const paths = ['b*.jsonl', 'a.jsonl'].map((name) => join(folder, name));
  expect(await expandPaths(paths)).toEqual(paths);
  await rename(paths[0]!, join(folder, 'b2.jsonl'));
  expect(await expandPaths(paths)).toEqual(
    ['b1.jsonl', 'b2.jsonl', 'a.jsonl'].map((name) => join(folder, name)),
  );
});

test('a link to a file is a file, as the hub keeps them', async () => {
  const blob = await file('blob', lines(pair('1')));
  const folder = await files({ 'x.txt': '' });
  await symlink(blob, join(folder, 'train-0.jsonl'));
  expect(await queries({ format: 'pairs-jsonl', path: join(folder, 'train-*.jsonl'), lang: 'en' })).toEqual([
    'q1',
  ]);
});

describe('several files are read as one source:', () => {
  const csv = (name: string) => `query,passage\nq${name},p${name}\n`;
  const tevatron = (name: string) => lines({ query: `q${name}`, positive_passages: [{ text: `p${name}` }] });
  test.each<[TrainingSource['format'], string, (name: string) => string]>([
    ['pairs-jsonl', '.jsonl', (name) => lines(pair(name))],
    ['pairs-jsonl', '.jsonl.gz', (name) => lines(pair(name))],
    ['pairs-csv', '.csv', csv],
    ['pairs-tsv', '.tsv', (name) => `q${name}\tp${name}\n`],
    ['sentence-transformers', '.csv', csv],
    ['flag-embedding', '.jsonl', (name) => lines({ query: `q${name}`, pos: [`p${name}`] })],
    ['tevatron', '.jsonl', tevatron],
    ['raw-text', '.txt', (name) => `q${name}\n`],
  ])('%s of %s', async (format, ending, content) => {
    const written: string[] = [];
    for (const name of ['0', '1', '2']) written.push(await file(`train-${name}${ending}`, content(name)));
    const folder = await files({ 'empty.txt': '' });
    for (const [i, path] of written.entries()) await rename(path, join(folder, `train-${i}${ending}`));
    const source = { format, lang: 'en' } as Omit<TrainingSource, 'path'>;
    const glob = join(folder, `train-*${ending}`);
    const pairs = await read({ ...source, path: glob } as TrainingSource);
    expect(pairs.map(({ query }) => query.text)).toEqual(['q0', 'q1', 'q2']);
    expect(new Set(pairs.map(({ query }) => query.dataset))).toEqual(new Set(['train']));
    expect(new Set(pairs.map(({ query }) => query.id)).size).toBe(3);
    const list = ['2', '0'].map((name) => join(folder, `train-${name}${ending}`));
    expect(await queries({ ...source, path: list } as TrainingSource)).toEqual(['q2', 'q0']);
    expect(await queries({ ...source, path: glob, limit: 2 } as TrainingSource)).toEqual(['q0', 'q1']);
  });

  test('parquet', async () => {
    const shard = (rows: string[]) =>
      new Uint8Array(
        parquetWriteBuffer({
          columnData: ['query', 'passage'].map((name) => ({
            name,
            data: rows.map((row) => `${name[0]}${row}`),
            type: 'STRING',
          })),
        }),
      );
    const first = await file('train-00000-of-00002.parquet', shard(['0', '1']));
    const second = await file('train-00001-of-00002.parquet', shard(['2']));
    const source = { format: 'parquet', path: [first, second], lang: 'en' } as const;
    expect(await queries(source)).toEqual(['q0', 'q1', 'q2']);
    expect((await read(source))[2]!.query.dataset).toBe('train');
  });
});

test('an empty shard is passed over; all of them empty are refused', async () => {
  const folder = await files({
    'a-0.jsonl': '',
    'a-1.jsonl': lines(pair('1')),
    'b-0.jsonl': '',
    'b-1.jsonl': '',
  });
  const source = { format: 'pairs-jsonl', lang: 'en' } as const;
  expect(await queries({ ...source, path: join(folder, 'a-*.jsonl') })).toEqual(['q1']);
  expect(await refusal({ ...source, path: join(folder, 'b-*.jsonl') })).toMatch(
    /^INPUT_EMPTY: .*b-\*\.jsonl: there is no pair in it$/,
  );
});

test('order, and a shard more or less, are part of what the data are', async () => {
  const folder = await files({ 'a.jsonl': lines(pair('1')), 'b.jsonl': lines(pair('2')) });
  const fingerprint = async (...names: string[]) => {
    const path = names.map((name) => join(folder, name));
    const set = await TrainingSet.read(
      openTrainingData({ format: 'pairs-jsonl', path, lang: 'en', dataset: 'd' }),
    );
    return set.fingerprint;
  };
  expect(await fingerprint('*.jsonl')).toBe(await fingerprint('a.jsonl', 'b.jsonl'));
  expect(await fingerprint('*.jsonl')).not.toBe(await fingerprint('b.jsonl', 'a.jsonl'));
  expect(await fingerprint('*.jsonl')).not.toBe(await fingerprint('a.jsonl'));
});

test('files whose names begin with nothing in common are called by their folder', async () => {
  const folder = await files({ 'faq/en.jsonl': lines(pair('1')), 'faq/fi.jsonl': lines(pair('2')) });
  const path = join(folder, 'faq/*.jsonl');
  const datasets = async (options: object) =>
    (await read({ format: 'pairs-jsonl', path, lang: 'en', ...options } as TrainingSource)).map(
      ({ passage }) => passage.dataset,
    );
  expect(await datasets({})).toEqual(['faq', 'faq']);
  expect(await datasets({ dataset: 'own' })).toEqual(['own', 'own']);
});

test('the first shard tells the columns where order counts', async () => {
  const first = await file('a.jsonl', lines({ anchor: 'q1', positive: 'p1' }));
  const turned = await file('b.jsonl', lines({ positive: 'p2', anchor: 'q2' }));
  const other = await file('c.jsonl', lines({ question: 'q3', answer: 'p3' }));
  const source = { format: 'sentence-transformers', lang: 'en' } as const;
  expect(texts(await read({ ...source, path: [first, turned] }))).toEqual([
    ['q1', 'p1'],
    ['q2', 'p2'],
  ]);
  expect(await refusal({ ...source, path: [first, other] })).toMatch(
    /^INPUT_COLUMN: \S*\/c\.jsonl:1: .*anchor/,
  );
});

test("tevatron's corpus may be several files", async () => {
  const folder = await files({
    'corpus/train-0.jsonl': lines({ docid: 'd1', text: 'one' }),
    'corpus/train-1.jsonl': lines({ docid: 'd2', text: 'two' }),
    'q.jsonl': lines({ query_id: '1', query_text: 'q', positive_document_ids: ['d2'] }),
  });
  const corpus = join(folder, 'corpus/*.jsonl');
  const pairs = await read({ format: 'tevatron', path: join(folder, 'q.jsonl'), corpus, lang: 'en' });
  expect(texts(pairs)).toEqual([['q', 'two']]);
});

describe('in one line', () => {
  const source = { format: 'pairs-jsonl', lang: 'en' } as const;

  test('a mistake in a shard names the shard and its line', async () => {
    const folder = await files({ 'a-0.jsonl': lines(pair('1')), 'a-1.jsonl': `${lines(pair('2'))}{` });
    expect(await refusal({ ...source, path: join(folder, 'a-*.jsonl') })).toMatch(
      /^INPUT_JSON: \S*\/a-1\.jsonl:2: /,
    );
  });

  test('what matches nothing', async () => {
    const folder = await files({ 'a.jsonl': '', 'b.jsonl': '', 'c.txt': '', 'd.txt': '' });
    expect(await refusal({ ...source, path: join(folder, 'train-*.jsonl') })).toMatch(
      /train-\*\.jsonl: no file matches; in \S+ there are a\.jsonl, b\.jsonl, c\.txt and 1 more; correct the glob$/,
    );
    expect(await refusal({ ...source, path: join(folder, 'none/*.jsonl') })).toMatch(
      /^INPUT_FILE: .*no file matches; there is no folder \S+\/none to look in; check the path$/,
    );
    expect(await refusal({ ...source, path: join(folder, '**/*.jsonl') })).toMatch(
      /'\*\*' is not understood; write '\*\/'/,
    );
  });

  // To the superuser every folder is open.
  test.skipIf(process.getuid?.() === 0)('a folder that may not be looked into', async () => {
    const folder = await files({ 'closed/a.jsonl': '' });
    await chmod(join(folder, 'closed'), 0);
    expect(await refusal({ ...source, path: join(folder, 'closed/*.jsonl') })).toMatch(
      /there is no permission to look into \S+closed; change its rights \(chmod\)$/,
    );
    await chmod(join(folder, 'closed'), 0o700);
  });

  test('a file of a list that is missing, before any is read, or that is there twice', async () => {
    const folder = await files({ 'a.jsonl': 'broken', 'b.jsonl': '' });
    const paths = (...names: string[]) => names.map((name) => join(folder, name));
    expect(await refusal({ ...source, path: paths('a.jsonl', 'none.jsonl') })).toMatch(
      /^INPUT_FILE: \S+none\.jsonl: there is no such file/,
    );
    expect(await refusal({ ...source, path: paths('a.jsonl', '?.jsonl') })).toMatch(
      /a\.jsonl: given twice in .*; leave one out$/,
    );
    expect(await refusal({ ...source, path: join(folder, 'a.jsonl/b.jsonl') })).toMatch(
      /^INPUT_FILE: .*this is a file$/,
    );
    expect(() => openTrainingData({ ...source, path: join(folder, 'a.jsonl/b.txt') })).toThrow(
      'expects a name ending in',
    );
    expect(await refusal({ ...source, path: [] })).toMatch(/^INPUT_FILE: an empty list of paths/);
  });

  test('a folder where files are read, with a glob of what is in it', async () => {
    const folder = await files({
      'README.md': '',
      'data/test-0.parquet': '',
      'data/train-0.parquet': '',
      'texts/b.txt.gz': '',
    });
    const remedy = (path: string) =>
      `a folder, but this format reads files; give a glob such as ${path.replace(folder, '')}`;
    const said = async (format: TrainingSource['format'], path: string) =>
      (await refusal({ format, path: join(folder, path), lang: 'en' } as TrainingSource)).replaceAll(
        /\/\d+(?=\/)/g,
        '',
      );
    for (const format of ['parquet', 'sentence-transformers'] as const) {
      expect(await said(format, '.')).toContain(remedy('/data/train*.parquet'));
      expect(await said(format, 'data')).toContain(remedy('/data/train*.parquet'));
    }
    expect(await said('raw-text', 'texts/')).toContain(remedy('/texts/*.txt.gz'));
    await mkdir(join(folder, 'whole.jsonl'));
    expect(await said('pairs-jsonl', 'wh*.jsonl')).toContain(remedy('/whole.jsonl/*.jsonl'));
  });

  test('several files of a format that reads one path', async () => {
    for (const path of [['a', 'b'], 'data/*']) {
      expect(() => openTrainingData({ format: 'beir', path } as TrainingSource)).toThrow(
        "format 'beir' takes one path, no list or glob; make each a data source of its own",
      );
    }
    expect(() => openTrainingData({ format: 'parquet', path: 'data/train-*' })).toThrow(
      "data/train-*: format 'parquet' expects a name ending in .parquet",
    );
  });
});
