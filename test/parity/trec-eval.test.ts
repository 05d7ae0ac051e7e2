/**
 * trec_eval's own test files give its own expected output, line for line, for every measure that we have:
 * per topic and averaged, with -q, -c, -l, -M and -m. The commands are those of its Makefile's `quicktest`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EvaluateRunOptions, evaluateRun, type TrecLineOptions, trecLines } from '@synglot/eval';
import { readQrels, readRun } from '@synglot/eval/files';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const shared = join(process.env.SYNGLOT_SHARED ?? join(root, '../shared'), 'data/trec_eval');
const missing = !existsSync(shared);
if (missing) console.warn(`skipped: trec_eval's test files are not at ${shared}; set SYNGLOT_SHARED`);

type Options = EvaluateRunOptions & TrecLineOptions;

async function printed(qrels: string, run: string, options: Options): Promise<string[]> {
  const evaluation = evaluateRun(
    await readQrels(join(shared, qrels)),
    await readRun(join(shared, run)),
    options,
  );
  return [...trecLines(evaluation, options)];
}

const expectedLines = (file: string) => readFileSync(join(shared, file), 'utf8').trimEnd().split('\n');

const all: Options = { measures: ['all_trec'] };
const measuresWithParameters = [
  'iprec_at_recall..10,.20,.25,.75,.50',
  'P.5,7,3',
  'recall.20,2000',
  'Rprec_mult.5.0,0.2,0.35',
  'utility.2,-1,0,0',
  '11pt_avg..25,.5,.75',
  'ndcg.1=3,2=9,4=4.5',
  'ndcg_cut.10,20,23.4',
  'success.2,5,20',
];

describe.skipIf(missing && process.env.REQUIRE_SHARED !== '1')("trec_eval's own tests", () => {
  test.each<[string, string, string, Options]>([
    ['out.test', 'qrels.test', 'results.test', {}],
    ['out.test.a', 'qrels.test', 'results.test', all],
    ['out.test.aq', 'qrels.test', 'results.test', { ...all, perTopic: true }],
    ['out.test.aqc', 'qrels.test', 'results.trunc', { ...all, perTopic: true, complete: true }],
    ['out.test.aqcM', 'qrels.test', 'results.trunc', { ...all, perTopic: true, complete: true, depth: 100 }],
    [
      'out.test.aql',
      'qrels.rel_level',
      'results.test',
      { measures: ['all_trec', 'relstring.20'], perTopic: true, relevanceLevel: 2 },
    ],
    [
      'out.test.meas_params',
      'qrels.test',
      'results.test',
      { measures: measuresWithParameters, perTopic: true },
    ],
    ['out.comment.test', 'qrels.comment.test', 'results.comment.test', {}],
  ])('%s', async (expected, qrels, run, options) => {
    expect(await printed(qrels, run, options)).toEqual(expectedLines(expected));
  });

  test('comments in judgments change nothing', async () => {
    expect(await printed('qrels.test.with-comments', 'results.test', all)).toEqual(
      expectedLines('out.test.a'),
    );
  });
});
