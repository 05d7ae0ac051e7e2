/** `synglot eval --qrels --run`: what it prints where, and what it says about bad input, in one line. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCli } from '../support/cli.js';

let folder = '';
const path = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trec-command-'));
  await writeFile(path('qrels'), 'q1 0 a 1\nq1 0 b 0\nq2 0 a 2\nq3 0 z 1\n');
  await writeFile(path('good'), 'q1 Q0 a 1 2 good\nq1 Q0 x 2 1 good\nq2 Q0 a 1 1 good\n');
  await writeFile(path('bad'), 'q1 Q0 x 1 2 bad\nq1 Q0 a 2 1 bad\nq2 Q0 b 1 1 bad\n');
  await writeFile(path('first'), 'q1 Q0 a 1 2 first\n');
  await writeFile(path('nan'), 'q1 Q0 a 1 nan t\n');
  await writeFile(path('twice'), 'q1 Q0 a 1 2 t\nq1 Q0 a 2 1 t\n');
  await writeFile(path('qrels-twice'), 'q1 0 a 1\nq1 0 a 1\n');
  await writeFile(path('other'), 'q9 Q0 a 1 2 t\n');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const evaluate = (...args: string[]) => startCli(['eval', ...args]).done;

test("trec_eval's lines go to standard output, what was left out to standard error", async () => {
  const args = ['--qrels', path('qrels'), '--run', path('good'), '--profile', 'trec_eval'];
  const plain = await evaluate(...args, '--format', 'trec_eval', '-q', '-mP.1', '-m', 'map');
  expect(plain.stdout).toBe(
    [
      'map                   \tq1\t1.0000',
      'P_1                   \tq1\t1.0000',
      'map                   \tq2\t1.0000',
      'P_1                   \tq2\t1.0000',
      'map                   \tall\t1.0000',
      'P_1                   \tall\t1.0000',
      '',
    ].join('\n'),
  );
  expect(plain.errorLines).toEqual([
    `${path('good')}: topic "q3" is judged but not in the run and is left out`,
    `${path('good')}: 1 retrieved document is not in the judgments and not counted as relevant`,
  ]);
  expect(plain.code).toBe(0);
  const complete = await evaluate(...args, '--format', 'trec_eval', '-c', '-l2', '-M1', '-m', 'map');
  expect(complete.stdout).toBe('map                   \tall\t0.3333\n');
});

test('pytrec_eval, MTEB and JSON file', async () => {
  const args = ['--qrels', path('qrels'), '--run', path('good')];
  const dictionary = await evaluate(...args, '--format', 'json', '-m', 'ndcg_cut.10');
  expect(JSON.parse(dictionary.stdout)).toEqual({ q1: { ndcg_cut_10: 1 }, q2: { ndcg_cut_10: 1 } });
  const mteb = await evaluate(...args, '--format', 'mteb', '--mteb-task', 'Toy', '--langs', 'eng-Latn');
  const result = JSON.parse(mteb.stdout) as {
    task_name: string;
    scores: { test: Record<string, unknown>[] };
  };
  expect(result.task_name).toBe('Toy');
  expect(result.scores.test[0]).toMatchObject({
    main_score: 1,
    ndcg_at_10: 1,
    precision_at_3: 0.33333,
    hf_subset: 'default',
    languages: ['eng-Latn'],
  });
  const table = await evaluate(...args, '-m', 'AP', '--json', path('out.json'));
  expect(table.stdout).toMatch(/^AP +1\.0000 +1\.0000 to 1\.0000$/m);
  const written = JSON.parse(await readFile(path('out.json'), 'utf8')) as unknown[];
  expect(written[0]).toMatchObject({ run: 'good', profile: 'trec_eval', summary: { AP: 1 } });
});

test('several runs are compared with the first', async () => {
  const { stdout, code } = await evaluate(
    ...['--qrels', path('qrels'), '--run', path('bad'), '--run', path('good'), '-m', 'AP', '-m', 'P.1'],
  );
  expect(code).toBe(0);
  // Both topics differ, so of four ways to turn them two are as large.
  expect(stdout).toMatch(/^good - bad +AP +0\.7500 .* 0\.5000 +1\.0000$/m);
});

test('CSV and LaTeX have the figures of several runs, on the topics that all of them have', async () => {
  const args = ['--qrels', path('qrels'), '--run', path('bad'), '--run', path('good'), '-m', 'AP'];
  const csv = await evaluate(...args, '--format', 'csv');
  const [, bad, good] = csv.stdout.split('\n');
  expect(bad).toMatch(/^bad,AP,0\.25,0,0\.5,,,,,,$/);
  expect(good).toMatch(/^good,AP,1,1,1,bad,0\.75,0\.5,1,0\.5,0\.5$/);
  const latex = await evaluate(...args, '--format', 'latex', '--correction', 'none');
  expect(latex.stdout).toContain('good & 1.0000 [1.0000, 1.0000] \\\\\n\\bottomrule\n');
  for (const { errorLines } of [csv, latex]) expect(errorLines.join()).not.toContain('topics that all runs');
});

test('what is no mean over topics is in the table alone, where it is not compared', async () => {
  const args = ['--qrels', path('qrels'), '--run', path('bad'), '--run', path('good'), '-m', 'num_q'];
  const { stdout } = await evaluate(...args);
  expect(stdout.split('\n')[2]).toMatch(/^num_q +\d +\d$/);
  expect(stdout).not.toContain('compared on');
  for (const format of ['csv', 'latex']) {
    const { code, errorLines } = await evaluate(...args, '--format', format);
    expect([code, errorLines.at(-1)]).toEqual([2, expect.stringContaining('has means over topics alone')]);
  }
});

test('where runs have other topics, it is said that figures are of those that all have', async () => {
  const args = ['--qrels', path('qrels'), '--run', path('bad'), '--run', path('first'), '-m', 'AP'];
  for (const format of ['csv', 'latex']) {
    const { stdout, errorLines } = await evaluate(...args, '--format', format);
    // The mean of its own two topics is 0.25.
    expect(stdout).toMatch(/^bad(,AP,0\.5,| & 0\.5000 )/m);
    expect(errorLines).toContain('figures are means over the 1 topics that all runs have');
  }
  expect((await evaluate(...args)).stdout).toMatch(/^compared on the 1 topics that all runs have$/m);
});

test.each<[string, string[], RegExp]>([
  ['a NaN score', ['qrels', 'nan'], /nan:1: the score of document "a" is "nan", expected a number/],
  [
    'a document ranked twice',
    ['qrels', 'twice'],
    /twice:2: document "a" of topic "q1" is ranked a second time/,
  ],
  [
    'a document judged twice',
    ['qrels-twice', 'good'],
    /qrels-twice:2: document "a" of topic "q1" is judged a second/,
  ],
  ['no topic in common', ['qrels', 'other'], /No topic of the run "t" has judgments to measure it by/],
])('%s is said in one line', async (_what, [qrels, run], message) => {
  const { code, stdout, errorLines } = await evaluate('--qrels', path(qrels!), '--run', path(run!));
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(errorLines).toHaveLength(1);
  expect(errorLines[0]).toMatch(message);
});

test('where a tool lets the last line count, so does its profile', async () => {
  const args = ['--qrels', path('qrels-twice'), '--run', path('twice'), '--profile', 'beir', '-m', 'map'];
  const { code, stdout } = await evaluate(...args, '--format', 'trec_eval');
  expect(code).toBe(0);
  expect(stdout).toBe('map                   \tall\t1.0000\n');
});
