/** A sweep as text: figures with intervals over seeds, then the paired comparisons. */
import { csvTable, decimal, latexTable, textTable } from '@synglot/eval';
import type { MeanInterval } from './interval.js';
import { figures, type SettingSummary, type SweepSummary } from './summary.js';

/** One row per setting; a chosen learning rate has a star. */
export function sweepTable({ settings, seeds }: SweepSummary): string {
  const withLoss = settings.some(({ validation_loss: loss }) => loss !== null);
  const header = ['setting', ...figures, ...(withLoss ? ['validation loss'] : [])];
  const rows = settings.map((setting) => {
    const cells = figures.map((figure) =>
      plusMinus(setting.figures[figure], figure === 'rank distance' ? 1 : 4),
    );
    return [rowName(setting, seeds), ...cells, ...(withLoss ? [plusMinus(setting.validation_loss, 4)] : [])];
  });
  return textTable(header, rows);
}

function rowName({ label, chosen, runs }: SettingSummary, seeds: readonly number[]): string {
  const failed = runs.filter(({ failed }) => failed).length;
  return `${label}${chosen ? ' *' : ''}${failed ? ` (${failed} of ${seeds.length} diverged)` : ''}`;
}

/**
 * One line a run, for a data frame: its setting, the value of every key that was varied, its seed, every measure in every
 * setting, rank distance, and what training came to. A run that diverged has no figures.
 */
export function sweepCsv({ settings }: SweepSummary): string {
  const keyOf = (value: string) => value.slice(0, value.indexOf('='));
  const keys = [...new Set(settings.flatMap(({ values }) => values.map(keyOf)))];
  const measures = [...new Set(settings.flatMap((setting) => Object.keys(setting.measures)))];
  const three = ['monolingual', 'cross_lingual', 'multilingual'] as const;
  const header = measures.flatMap((name) => three.map((each) => `${name} ${each.replace('_', '-')}`));
  return csvTable(
    ['setting', ...keys, 'seed', ...header, 'rank distance', 'validation loss', 'steps', 'training seconds'],
    settings.flatMap(({ label, values, runs }) =>
      runs.map(({ seed, summary, validation_loss: loss, steps, training_seconds: seconds }) => [
        label,
        ...keys.map((key) => values.find((value) => keyOf(value) === key)?.slice(key.length + 1)),
        seed,
        ...measures.flatMap((name) => three.map((each) => summary?.measures[name]?.[each])),
        summary?.rank_distance,
        loss,
        steps,
        seconds,
      ]),
    ),
  );
}

/** {@link sweepTable}'s figures for a paper; a dagger marks what differs from the baseline by a corrected p below 0.05. */
export function sweepLatex(summary: SweepSummary): string {
  const { settings, seeds, baseline, other_questions: apart, test, comparisons } = summary;
  const several =
    seeds.length > 1 ? `Means over ${seeds.length} seeds ± half of the 95% interval over seeds; ` : '';
  const star = settings.some(({ chosen }) => chosen) ? '* lowest validation loss of its method; ' : '';
  const others = apart.length > 0 ? ` Asked other questions than it: ${apart.join('; ')}.` : '';
  const note = `${several}${star}† differs from ${baseline}, p < 0.05: ${test}.${others} Needs \\usepackage{booktabs}.`;
  const rows = settings.map((setting) => [
    rowName(setting, seeds),
    ...figures.map((figure) => {
      const found = comparisons.find((one) => one.system === setting.label && one.figure === figure);
      const mark = found !== undefined && found.p_adjusted < 0.05 ? '†' : '';
      return `${plusMinus(setting.figures[figure], figure === 'rank distance' ? 1 : 4)}${mark}`;
    }),
  ]);
  return latexTable(['setting', ...figures], rows, note);
}

/** One row per figure compared with the baseline. */
export function sweepComparisonTable({ comparisons }: SweepSummary): string {
  const rows = comparisons.map(
    ({ system, figure, difference, over_seeds: seeds, p, p_adjusted: adjusted }) => {
      const digits = figure === 'rank distance' ? 1 : 4;
      return [
        system,
        figure,
        signed(difference, digits),
        seeds?.low == null ? '-' : `${signed(seeds.low, digits)} … ${signed(seeds.high!, digits)}`,
        decimal(p, 4),
        decimal(adjusted, 4),
      ];
    },
  );
  return textTable(['setting', 'figure', 'difference', '95% over seeds', 'p', 'p, Holm'], rows);
}

/** `0.5123 ± 0.0045`: the half width of the 95% interval; a single run has none. */
function plusMinus(value: MeanInterval | null, digits: number): string {
  if (!value) return '-';
  if (value.high === null) return decimal(value.mean, digits);
  return `${decimal(value.mean, digits)} ± ${decimal(value.high - value.mean, digits)}`;
}

function signed(value: number, digits: number): string {
  const text = decimal(Math.abs(value), digits);
  return `${value < 0 && Number(text) > 0 ? '−' : '+'}${text}`;
}
