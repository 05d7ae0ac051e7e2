/** Mistakes with `synglot index`, `search` and `eval`: each ends with 2 and one line. */
import { appendFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npyHeader } from '@synglot/models';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, runCliWell } from '../support/cli.js';
import { saveTinyModel, testFolder, writeBeir } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let model: string;
const inPlace = (name: string) => join(folder.path, name);
const env = { SYNGLOT_DEVICE: process.env.SYNGLOT_DEVICE ?? 'swiftshader' };

const npyBytes = (rows: number, columns: number) =>
  Buffer.concat([npyHeader(rows, columns), Buffer.alloc(rows * columns * 4, 1)]);

beforeAll(async () => {
  folder = await testFolder('benchmark-mistakes');
  model = inPlace('model');
  await saveTinyModel(model);
});
afterAll(() => folder.remove());

it('refuses two queries of one id, a run that cannot be written, and runs of other judgments', async () => {
  const root = await writeBeir(inPlace('search-mistakes'));
  const store = inPlace('search-store');
  await runCliWell(['index', '--corpus', join(root, 'corpus.jsonl'), '--model', model, '--store', store], {
    env,
  });
  await writeFile(join(root, 'twice.tsv'), '1\ta\n1\tb\n');
  const search = (queries: string, run: string) =>
    runCli(
      ['search', '--store', store, '--model', model, '--queries', join(root, queries), '--save-run', run],
      { env },
    );
  const twice = await search('twice.tsv', inPlace('twice.run'));
  expect([twice.code, twice.errorLines.at(-1)]).toEqual([
    2,
    expect.stringMatching(/twice\.tsv: two queries have the id "1"; ids must be unique/),
  ]);
  const index = (corpus: string) =>
    runCli(['index', '--corpus', join(root, corpus), '--model', model, '--store', inPlace('empty-store')], {
      env,
    });
  const mistyped = await index('none.jsonl');
  expect([mistyped.code, mistyped.errorLines]).toEqual([
    2,
    [expect.stringMatching(/none\.jsonl: there is no/)],
  ]);
  await expect(stat(inPlace('empty-store'))).rejects.toThrow('ENOENT');
  await writeFile(join(root, 'empty.jsonl'), '');
  const nothing = await index('empty.jsonl');
  expect([nothing.code, nothing.errorLines.at(-1)]).toEqual([
    2,
    expect.stringMatching(/empty\.jsonl: there is no passage in it$/),
  ]);
  const empty = await runCli(
    [
      ...['search', '--store', inPlace('empty-store'), '--model', model],
      ...['--queries', join(root, 'queries.jsonl'), '--save-run', inPlace('empty.run')],
    ],
    { env },
  );
  expect([empty.code, empty.errorLines.at(-1)]).toEqual([2, expect.stringMatching(/: holds no passages; /)]);
  const nowhere = await search('queries.jsonl', inPlace('none/x.run'));
  expect([nowhere.code, nowhere.errorLines]).toEqual([2, [expect.stringMatching(/create it first$/)]]);

  await writeFile(inPlace('other.run'), 'q Q0 d 1 1.0 tag\n');
  await writeFile(inPlace('other.qrels'), 'p 0 d 1\n');
  const args = ['eval', '--qrels', inPlace('other.qrels'), '--run', inPlace('other.run')];
  const { code, errorLines } = await runCli(args, { env });
  expect([code, errorLines.at(-1)]).toEqual([
    2,
    expect.stringMatching(/other\.run: No topic of the run "tag" has judgments/),
  ]);
});

it('index, search and eval tell what is missing before they open a device', async () => {
  const beir = await writeBeir(inPlace('missing'));
  await writeFile(inPlace('passages.npy'), npyBytes(3, 4));
  await writeFile(inPlace('short.npy'), npyBytes(2, 4));
  // As many values as one row of four.
  await writeFile(inPlace('narrow.npy'), npyBytes(2, 2));
  await writeFile(inPlace('corpus.tsv'), '1\ta\n');
  await writeFile(inPlace('topics.tsv'), '1\ta\n');
  const none = inPlace('none');
  const spaced = await writeBeir(inPlace('spaced'));
  await appendFile(join(spaced, 'corpus.jsonl'), '{"_id":"d 30","text":"a"}\n');
  await writeFile(inPlace('spaced.tsv'), '1\ta\n1 b\tb\n');
  await writeFile(inPlace('spaced.ids'), 'a\nb\nc d\n');
  const search = ['search', '--save-run', inPlace('x.run')];
  const saved = ['--model', model, '--save-run', inPlace('x.run')];
  const among = [...search, '--passage-embeddings', inPlace('passages.npy')];
  const topics = ['--queries', inPlace('topics.tsv')];
  for (const [args, message] of [
    [['eval', '--task', 'beir', '--data', beir, '--model', none], /no such model folder/],
    [['index', '--corpus', inPlace('corpus.tsv'), '--store', inPlace('s'), '--model', none], /no such model/],
    [[...search, ...topics, '--store', none, '--model', model], /none: /],
    [[...search, ...topics, '--passage-embeddings', none, '--model', model], /none: /],
    [[...among, '--queries', none, '--model', model], /none: /],
    [[...among, ...topics, '--model', none], /no such model folder/],
    [[...among, ...topics], /no queries: give --queries and --model/],
    [[...among, '--query-embeddings', none], /none: /],
    [[...among, ...topics, '--query-embeddings', inPlace('short.npy')], /expected 1 queries x 4/],
    [[...among, ...topics, '--query-embeddings', inPlace('narrow.npy')], /narrow\.npy: rows of 2 numbers/],
    [
      ['eval', '--task', 'beir', '--data', spaced, ...saved],
      /corpus\.jsonl:31: "d 30" cannot stand in a TREC/,
    ],
    [[...among, '--queries', inPlace('spaced.tsv'), '--model', model], /spaced\.tsv:2: "1 b" cannot stand/],
    [[...among, '--passage-ids', inPlace('spaced.ids'), ...topics], /spaced\.ids:3: "c d" cannot stand/],
  ] as const) {
    const { code, errorLines } = await runCli(args, { env });
    expect([code, errorLines]).toEqual([2, [expect.stringMatching(message)]]);
  }
});

it('search refuses options that others leave without effect', async () => {
  const given = ['--query-embeddings', 'q.npy', '--passage-embeddings', 'p.npy'];
  for (const [more, message] of [
    [['--store', 's', ...given], 'give either --store or --passage-embeddings'],
    [['--store', 's', '--passage-ids', 'ids'], '--passage-ids goes with --passage-embeddings'],
    [[...given, '--model', model], 'embeddings of the queries are given: leave --model out'],
  ] as const) {
    const { code, errorLines } = await runCli(['search', '--save-run', inPlace('idle.run'), ...more], {
      env,
    });
    expect([code, errorLines]).toEqual([2, [expect.stringContaining(message)]]);
  }
});

it('reports mistakes in one line', async () => {
  const root = await writeBeir(inPlace('mistakes'));
  const expectMistake = async (args: readonly string[], ...parts: string[]) => {
    const { code, errorLines } = await runCli(['eval', ...args], { env });
    expect(code).toBe(2);
    for (const part of parts) expect(errorLines.at(-1)).toContain(part);
  };
  const task = ['--task', 'beir', '--data', root];
  await expectMistake([...task, '--suite', 'mmm', '--model', model], 'give one of --task, --suite');
  await expectMistake(task, '--model', '--query-embeddings');
  await expectMistake([...task, '--model', model, '--split', 'dev'], 'qrels/dev.tsv');
  await expectMistake(
    [...task, '--model', model, '--measures', 'NDCG'],
    'NDCG',
    'did you mean "nDCG"',
    'nDCG@k',
  );
  await expectMistake(
    [...task, '--model', model, '--json', inPlace('none/a.json')],
    'none',
    'create it first',
  );
  await expectMistake(['--qrels', 'q', '--run', 'r', '--model', model], 'either --qrels and --run');
  await expectMistake([...task, '--model', model, '-m', 'map'], '--measure: is for --qrels and --run');
  await expectMistake([...task, '--model', model, '--corpus-lang', 'en'], 'beir: `corpusLang` means nothing');
  const rankings = ['--qrels', 'q', '--run', 'r'];
  await expectMistake([...rankings, '--depth', '3'], '--depth: is not for --qrels and --run');
  await expectMistake([...rankings, '--langs', 'en'], '--langs: goes with --format mteb');
  await expectMistake([...rankings, '-q'], '--per-topic: goes with --format trec_eval here');
  await expectMistake([...rankings, '-n', '--format', 'json'], '--no-summary: goes with --format trec_eval');
  await expectMistake([...rankings, '--correction', 'none'], '--correction: is for several --run');
  await expectMistake([...rankings, '-m', 'map', '--format', 'mteb'], '--measure: is not for --format mteb');
  await writeFile(inPlace('empty.npy'), '');
  const files = ['--query-embeddings', inPlace('empty.npy'), '--passage-embeddings', inPlace('empty.npy')];
  await expectMistake([...task, ...files], 'empty.npy');
  await expectMistake([...task, ...files, '--dimension', '8'], 'leave --dimension out');
  const context = ['--context', 'paragraph'];
  await expectMistake([...task, '--model', model, ...context], '--context is not for --task beir');
  await expectMistake([...task, ...files, ...context], 'leave --context out');
  const predicted = ['--task', 'mewsli-x', '--data', root, '--predictions', 'p.jsonl'];
  await expectMistake([...predicted, '--model', model], '--model is not for --predictions');
  await expectMistake([...predicted, '--save-run', inPlace('p.run')], '--save-run is not for --predictions');
  await rm(join(root, 'queries.jsonl'));
  await expectMistake([...task, '--model', model], 'expected queries.jsonl');
});
