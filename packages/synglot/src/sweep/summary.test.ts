/** Means, choice of rates and paired tests of a sweep, on values whose outcome is known. */
import type { PerQueryValues } from '@synglot/eval';
import type { TrainConfig } from '@synglot/train';
import { expect, test } from 'vitest';
import type { PlannedRun, Setting, SweepPlan } from './plan.js';
import type { RunRecord } from './run-sweep.js';
import { summarise } from './summary.js';

const setting = (label: string, method = label): Setting => ({
  label,
  method,
  config: 'c.yaml',
  values: [label],
});

function planOf(settings: readonly Setting[], seeds: readonly number[]): SweepPlan {
  const config = {} as TrainConfig;
  const runs = seeds.flatMap((seed) =>
    settings.map((each) => ({ setting: each, seed, name: `${each.label} ${seed}`, config })),
  );
  return { settings, seeds, runs };
}

const questions = 12;

/** Per-query values in two languages: in every pool, question i has `value(i)`. */
function perQuery(value: (question: number) => number): PerQueryValues {
  const ids = ['en', 'fi'].flatMap((lang) => Array.from({ length: questions }, (_, i) => ({ lang, i })));
  const column = () => ids.map(({ i }) => value(i));
  return {
    queries: ids.map(({ lang, i }) => `q${i}_${lang}`),
    langs: ids.map(({ lang }) => lang),
    questions: ids.map(({ i }) => `q${i}`),
    pools: { en: { AP: column() }, fi: { AP: column() } },
    multilingual: { AP: column() },
    rank_distance: column(),
  };
}

function record(mean: number, more: Partial<RunRecord> = {}): RunRecord {
  const all = { monolingual: mean, cross_lingual: mean, multilingual: mean };
  return {
    label: '',
    seed: 0,
    evaluated: 'held-out',
    collection: 'held-out 10%',
    map_measure: 'AP',
    queries: 24,
    langs: ['en', 'fi'],
    steps: 5,
    loss: 1,
    validation_loss: null,
    training_seconds: 1,
    summary: { map: all, rank_distance: mean, measures: { AP: all } },
    ...more,
  };
}

test('a difference in every question and seed is found, and its size is that of the means', async () => {
  const plan = planOf([setting('a'), setting('b')], [0, 1]);
  const value = (run: PlannedRun) => 0.3 + (run.setting.label === 'b' ? 0.1 : 0) + 0.02 * run.seed;
  const records = new Map(plan.runs.map((run) => [run, record(value(run))]));
  const summary = await summarise(plan, records, async (run) =>
    perQuery((i) => value(run) + 0.01 * (i % 3) - 0.01),
  );
  expect(summary).toMatchObject({ baseline: 'a', collection: 'held-out 10%', queries: 24 });
  expect(summary.settings[1]!.figures['mAP monolingual']!.mean).toBeCloseTo(0.41, 12);
  expect(summary.comparisons).toHaveLength(4);
  for (const { system, difference, p_adjusted: p, over_seeds: seeds } of summary.comparisons) {
    expect(system).toBe('b');
    expect(difference).toBeCloseTo(0.1, 12);
    // Exact: two of 2^12 sides are as extreme; Holm over four.
    expect(p).toBeCloseTo((4 * 2) / 2 ** questions, 12);
    expect(seeds!.mean).toBeCloseTo(0.1, 12);
    expect(seeds!.high! - seeds!.low!).toBeLessThan(1e-9);
  }
  const other = await summarise(plan, records, async () => perQuery(() => 0), 'b');
  expect(other.baseline).toBe('b');
  expect(other.comparisons.map(({ p }) => p)).toEqual([1, 1, 1, 1]);
});

test('each method keeps its best rate; what diverged takes no part', async () => {
  const plan = planOf(
    [setting('a 1', 'a'), setting('a 2', 'a'), setting('b 1', 'b'), setting('b 2', 'b')],
    [0],
  );
  const losses = [2, 1, 3, 0];
  const records = new Map(
    plan.runs.map((run, index) => [
      run,
      run.setting.label === 'b 2'
        ? record(0, { summary: null, failed: 'diverged', validation_loss: 0 })
        : record(0.5, { validation_loss: losses[index]! }),
    ]),
  );
  const { settings, comparisons } = await summarise(plan, records, async () => perQuery((i) => i / 20));
  expect(settings.map(({ chosen }) => chosen)).toEqual([false, true, true, false]);
  expect(settings[3]!.figures['mAP monolingual']).toBeNull();
  expect(new Set(comparisons.map(({ system, baseline }) => `${system} / ${baseline}`))).toEqual(
    new Set(['b 1 / a 2']),
  );
});

test('settings that were asked other questions are not compared, be they as many', async () => {
  const plan = planOf([setting('a'), setting('b'), setting('c'), setting('d')], [0, 1]);
  const records = new Map(plan.runs.map((run) => [run, record(0.5)]));
  const asked = async ({ setting: { label }, seed }: PlannedRun) => {
    const values = perQuery((i) => i / 20);
    const others = { ...values, questions: values.questions.map((name) => `other ${name}`) };
    const pools = { en: { AP: [null, ...values.pools.en!.AP!.slice(1)] }, fi: values.pools.fi! };
    if (label === 'b') return others;
    if (label === 'c' && seed === 1) return { ...values, pools };
    return values;
  };
  const summary = await summarise(plan, records, asked);
  expect(summary.other_questions).toEqual(['b', 'c']);
  expect(new Set(summary.comparisons.map(({ system }) => system))).toEqual(new Set(['d']));
  // A baseline whose seeds were asked different things is none.
  const none = await summarise(plan, records, asked, 'c');
  expect(none).toMatchObject({ baseline: 'c', comparisons: [] });
});

test('a method is a baseline at the learning rate chosen for it', async () => {
  const plan = planOf([setting('a 1', 'a'), setting('b 1', 'b'), setting('b 2', 'b')], [0]);
  const losses = [1, 2, 1];
  const records = new Map(
    plan.runs.map((run, index) => [run, record(0.5, { validation_loss: losses[index]! })]),
  );
  const { baseline } = await summarise(plan, records, async () => perQuery((i) => i / 20), 'b');
  expect(baseline).toBe('b 2');
});
