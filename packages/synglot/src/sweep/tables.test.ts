/** A sweep's files for other programs. */
import { expect, test } from 'vitest';
import { meanInterval } from './interval.js';
import type { RunRecord } from './run-sweep.js';
import type { SettingSummary, SweepComparison, SweepSummary } from './summary.js';
import { sweepCsv, sweepLatex } from './tables.js';

function settingOf(alpha: string, means: readonly (number | null)[]): SettingSummary {
  const runs = means.map((mean, seed) => {
    const all = { monolingual: mean, cross_lingual: null, multilingual: 0.5 };
    const summary =
      mean === null ? null : { map: all, rank_distance: 12.34, measures: { AP: all, 'Recall@1': all } };
    return { seed, summary, validation_loss: null, steps: 5, training_seconds: 1.5 } as unknown as RunRecord;
  });
  const values = means.filter((mean) => mean !== null);
  const own = values.length === means.length ? meanInterval(values) : null;
  return {
    label: `sampling.alpha=${alpha}`,
    config: 'c.yaml',
    values: [`sampling.alpha=${alpha}`],
    runs,
    figures: {
      'mAP monolingual': own,
      'mAP cross-lingual': null,
      'mAP multilingual': meanInterval([0.5, 0.5]),
      'rank distance': meanInterval([12.34, 12.34]),
    },
    measures: own ? { AP: {}, 'Recall@1': {} } : {},
    validation_loss: null,
  };
}

const summary = {
  settings: [settingOf('0.5', [0.4, 0.6]), settingOf('1', [null, 0.5])],
  seeds: [0, 1],
  baseline: 'sampling.alpha=0.5',
  other_questions: [],
  test: 'a test',
  comparisons: [
    { system: 'sampling.alpha=1', figure: 'mAP multilingual', p: 0.001, p_adjusted: 0.04 },
    { system: 'sampling.alpha=1', figure: 'rank distance', p: 0.03, p_adjusted: 0.06 },
  ] as unknown as readonly SweepComparison[],
} as unknown as SweepSummary;

test('CSV has a line a run, a column a key, and nothing where a run diverged', () => {
  const settings = (name: string) =>
    ['monolingual', 'cross-lingual', 'multilingual'].map((each) => `${name} ${each}`);
  expect(sweepCsv(summary).split('\n')).toEqual([
    [
      ...['setting', 'sampling.alpha', 'seed', ...settings('AP'), ...settings('Recall@1')],
      ...['rank distance', 'validation loss', 'steps', 'training seconds'],
    ].join(','),
    'sampling.alpha=0.5,0.5,0,0.4,,0.5,0.4,,0.5,12.34,,5,1.5',
    'sampling.alpha=0.5,0.5,1,0.6,,0.5,0.6,,0.5,12.34,,5,1.5',
    'sampling.alpha=1,1,0,,,,,,,,,5,1.5',
    'sampling.alpha=1,1,1,0.5,,0.5,0.5,,0.5,12.34,,5,1.5',
  ]);
});

test('LaTeX has means with intervals, and a dagger by the corrected p alone', () => {
  const lines = sweepLatex(summary).split('\n');
  expect(lines[0]).toBe(
    '% Means over 2 seeds ± half of the 95% interval over seeds; † differs from sampling.alpha=0.5, p < 0.05: a test. Needs \\usepackage{booktabs}.',
  );
  // t(1) = 12.7062, standard error 0.1.
  expect(lines).toContain(
    'sampling.alpha=0.5 & 0.5000 $\\pm$ 1.2706 & - & 0.5000 $\\pm$ 0.0000 & 12.3 $\\pm$ 0.0 \\\\',
  );
  expect(lines).toContain(
    'sampling.alpha=1 & - & - & 0.5000 $\\pm$ 0.0000\\textsuperscript{\\dag} & 12.3 $\\pm$ 0.0 \\\\',
  );
});

test('LaTeX says which rate was chosen, what diverged and what was asked other questions, as the text table does', () => {
  const [first, second] = summary.settings as [SettingSummary, SettingSummary];
  const runs = second.runs.map((run, seed) => (seed === 0 ? { ...run, failed: 'diverged' } : run));
  const lines = sweepLatex({
    ...summary,
    settings: [
      { ...first, chosen: true },
      { ...second, runs, chosen: false },
    ],
    other_questions: ['hold_out.seed=7'],
  }).split('\n');
  expect(lines[0]).toMatch(
    /; \* lowest validation loss of its method; † differs .*: a test\. Asked other questions than it: hold_out\.seed=7\. Needs/,
  );
  expect(lines.map((line) => line.split(' & ')[0])).toEqual(
    expect.arrayContaining(['sampling.alpha=0.5 *', 'sampling.alpha=1 (1 of 2 diverged)']),
  );
});
