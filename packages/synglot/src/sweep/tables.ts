/** A sweep as text: figures with intervals over seeds, then the paired comparisons. */
import { textTable } from '@synglot/eval';
import type { MeanInterval } from './interval.js';
import { figures, type SweepSummary } from './summary.js';

/** One row a setting; a chosen learning rate has a star. */
export function sweepTable({ settings, seeds }: SweepSummary): string {
  const withLoss = settings.some(({ validation_loss: loss }) => loss !== null);
  const header = ['setting', ...figures, ...(withLoss ? ['validation loss'] : [])];
  const rows = settings.map((setting) => {
    const failed = setting.runs.filter(({ failed }) => failed).length;
    const name = `${setting.label}${setting.chosen ? ' *' : ''}${failed ? ` (${failed} of ${seeds.length} diverged)` : ''}`;
    const cells = figures.map((figure) =>
      plusMinus(setting.figures[figure], figure === 'rank distance' ? 1 : 4),
    );
    return [name, ...cells, ...(withLoss ? [plusMinus(setting.validation_loss, 4)] : [])];
  });
  return textTable(header, rows);
}

/** One row a comparison with the baseline and figure. */
export function sweepComparisonTable({ comparisons }: SweepSummary): string {
  const rows = comparisons.map(
    ({ system, figure, difference, over_seeds: seeds, p, p_adjusted: adjusted }) => {
      const digits = figure === 'rank distance' ? 1 : 4;
      return [
        system,
        figure,
        signed(difference, digits),
        seeds?.low == null ? '-' : `${signed(seeds.low, digits)} … ${signed(seeds.high!, digits)}`,
        p.toFixed(4),
        adjusted.toFixed(4),
      ];
    },
  );
  return textTable(['setting', 'figure', 'difference', '95% over seeds', 'p', 'p, Holm'], rows);
}

/** `0.5123 ± 0.0045`: the half width of the 95% interval; a single run has none. */
function plusMinus(value: MeanInterval | null, digits: number): string {
  if (!value) return '-';
  if (value.high === null) return value.mean.toFixed(digits);
  return `${value.mean.toFixed(digits)} ± ${(value.high - value.mean).toFixed(digits)}`;
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}
