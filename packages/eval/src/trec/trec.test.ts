import { expect, test } from 'vitest';
import { mtebMeasures, mtebResult } from '../tables/mteb-result.js';
import { trecColumns } from './columns.js';
import { evaluateRun } from './evaluate-run.js';
import type { Qrels, TrecRun } from './files.js';
import { topicValues, trecLines } from './print.js';

const qrels: Qrels = new Map([
  [
    'q1',
    new Map([
      ['a', 1],
      ['b', 0],
      ['c', 2],
      ['q1', 1],
    ]),
  ],
  ['q2', new Map([['a', 0]])],
  ['q3', new Map([['z', 1]])],
]);
const run: TrecRun = {
  tag: 'mine',
  topics: new Map([
    ['q9', new Map([['a', 1]])],
    ['q2', new Map([['a', 1]])],
    [
      'q1',
      new Map([
        ['q1', 9],
        ['x', 2],
        ['a', 2],
        ['b', 2],
        ['c', 1],
      ]),
    ],
  ]),
};
const summaryOf = (options: Parameters<typeof evaluateRun>[2]) => evaluateRun(qrels, run, options).summary;

test('missing topics, topics without a relevant document and identical ids as each tool treats them', () => {
  // q1 in trec_eval's order: q1 (1), x, b (0), a (1), c (2).
  const ap = (1 + 2 / 4 + 3 / 5) / 3;
  expect(summaryOf({ measures: ['AP'] })).toEqual([ap / 2]);
  expect(summaryOf({ measures: ['num_q', 'num_rel', 'map'], complete: true })).toEqual([3, 4, ap / 3]);
  // BEIR takes q1 out of the ranking, not out of the judgments.
  expect(summaryOf({ profile: 'beir', measures: ['map'] })).toEqual([(1 / 3 + 2 / 4) / 3 / 2]);
  // Ids ascending: q1, a, b, x, c; q2 has nothing to find, q3 is missing and counts.
  const ascending = (1 + 1 + 3 / 5) / 3;
  expect(summaryOf({ profile: 'sentence-transformers', measures: ['AP@100'] })).toEqual([ascending / 2]);
  expect(summaryOf({ profile: 'msmarco', measures: ['RR@10'] })).toEqual([1 / 3]);
  expect(evaluateRun(qrels, run).notes).toEqual([
    'topic "q9" of the run has no judgments and is left out',
    'topic "q3" is judged but not in the run and is left out',
    'topic "q2" has no relevant document and counts as 0',
    '1 retrieved document is not in the judgments and not counted as relevant',
  ]);
});

test('a score that is NaN has no rank', () => {
  const diverged: TrecRun = { tag: 't', topics: new Map([['q1', new Map([['a', Number.NaN]])]]) };
  expect(() => evaluateRun(qrels, diverged)).toThrow(
    expect.objectContaining({
      code: 'INPUT_TREC',
      message: 'The score of document "a" of query "q1" is NaN, which has no rank.',
    }),
  );
});

test('float scores tie where doubles do not', () => {
  const close: TrecRun = {
    tag: 't',
    topics: new Map([
      [
        'q1',
        new Map([
          ['a', 1 + 1e-9],
          ['b', 1],
        ]),
      ],
    ]),
  };
  const first = (profile: 'beir' | 'trec_eval') =>
    evaluateRun(qrels, close, { profile, measures: ['RR'] }).summary[0];
  expect(first('trec_eval')).toBe(1);
  expect(first('beir')).toBe(1 / 2);
});

test('depth, relevance level and judged documents only', () => {
  expect(summaryOf({ measures: ['num_ret', 'num_rel_ret'], depth: 4 })).toEqual([5, 2]);
  expect(summaryOf({ measures: ['num_rel', 'recip_rank'], relevanceLevel: 2 })).toEqual([1, 1 / 5 / 2]);
  expect(summaryOf({ measures: ['num_ret', 'P.2'], judgedOnly: true })).toEqual([5, 1 / 2 / 2]);
});

test('lines and dictionary', () => {
  const evaluation = evaluateRun(qrels, run, {
    measures: ['num_ret', 'gm_map', 'relstring.3', 'P.1', 'runid'],
  });
  expect([...trecLines(evaluation, { perTopic: true })]).toEqual([
    'num_ret               \tq1\t5',
    'P_1                   \tq1\t1.0000',
    "relstring_3           \tq1\t'1-0'",
    'num_ret               \tq2\t1',
    'P_1                   \tq2\t0.0000',
    "relstring_3           \tq2\t'0'",
    'runid                 \tall\tmine',
    'num_ret               \tall\t6',
    'gm_map                \tall\t0.0026',
    'P_1                   \tall\t0.5000',
  ]);
  expect([...trecLines(evaluation, { summary: false })]).toEqual([]);
  expect(topicValues(evaluation)).toEqual({ q1: { num_ret: 5, P_1: 1 }, q2: { num_ret: 1, P_1: 0 } });
});

test("MTEB's scores have five digits, rounded as Python rounds them", () => {
  const judged = new Map(Array.from({ length: 64 }, (_, i) => [`q${i}`, new Map([['a', 1]])] as const));
  // The relevant document of one question in 64 is found.
  const topics = new Map([...judged.keys()].map((topic, i) => [topic, new Map([[i === 0 ? 'a' : 'b', 1]])]));
  const evaluation = evaluateRun(judged, { tag: 't', topics }, { profile: 'beir', measures: mtebMeasures });
  expect(mtebResult(evaluation, { task: 'T' }).scores.test![0]!.main_score).toBe(0.01562);
});

test('parameters of measures', () => {
  const names = (...specifications: string[]) => trecColumns(specifications).map(({ name }) => name);
  expect(names('ndcg_cut.20,10,23.4', 'map')).toEqual(['map', 'ndcg_cut_10', 'ndcg_cut_20', 'ndcg_cut_23']);
  expect(names('iprec_at_recall..10,.25')).toEqual(['iprec_at_recall_0.10', 'iprec_at_recall_0.25']);
  expect(names('rbp.p=0.8', 'utility.2,-1,0,0')).toEqual(['utility_2,-1,0,0', 'rbp_p=0.8']);
  for (const bad of ['nope', 'P.0', 'P.5,5', 'P.x', 'utility.1', 'ndcg.3', 'map.5', 'P.']) {
    expect(() => trecColumns([bad]), bad).toThrow(expect.objectContaining({ code: 'INPUT_MEASURE' }));
  }
});

test('what cannot be evaluated is said in one line', () => {
  const other: TrecRun = { tag: 't', topics: new Map([['x', new Map([['a', 1]])]]) };
  expect(() => evaluateRun(qrels, other)).toThrow(/No topic of the run "t" has judgments/);
  expect(() => evaluateRun(qrels, run, { profile: 'lareqa', measures: ['ndcg_cut.10'] })).toThrow(
    /profiles trec_eval and beir/,
  );
});
