/** Ratios, agreement and the table of `peers.ts`. Pure but for printing. */
import type { ChildResult } from './child.js';

/** One library's measurement, or why there is none, with the machine's load before it began. */
export type Entry = (ChildResult | { readonly failed: string }) & { readonly load_before: number };

/** First losses and probes may differ by this much. */
const tolerance = 1e-3;

const measured = (entries: readonly Entry[]) => entries.filter((entry) => 'seconds' in entry);
const isReference = ({ library }: ChildResult) => library === 'synglot (native)';

/** Adds GFLOP/s and how many times as long as synglot (the slower of its runs) each took. */
export function withRatios(entries: readonly Entry[], flops: number) {
  const references = measured(entries).filter(isReference);
  const slowest = (value: (entry: ChildResult) => number) => Math.max(...references.map(value));
  const seconds = slowest((entry) => entry.seconds.median);
  const cpu = slowest((entry) => entry.cpu_seconds);
  return entries.map((entry) =>
    'seconds' in entry
      ? {
          ...entry,
          gflops_per_second: flops / entry.seconds.median / 1e9,
          times_synglot: entry.seconds.median / seconds,
          times_synglot_cpu: entry.cpu_seconds / cpu,
        }
      : entry,
  );
}

/**
 * Checks that all computed the same: the first loss of a training step, the probe of a forward pass.
 *
 * @throws Error with both values when a library is off by more than `tolerance`.
 */
export function checkAgreement(entries: readonly Entry[]): void {
  const all = measured(entries);
  const reference = all.find(isReference);
  if (!reference) throw new Error('synglot itself was not measured, and it comes first');
  const numbers = ({ loss, probe }: ChildResult) => probe ?? [loss?.first ?? Number.NaN];
  for (const entry of all) {
    numbers(reference).forEach((expected, index) => {
      const received = numbers(entry)[index] ?? Number.NaN;
      if (!(Math.abs(received - expected) <= tolerance)) {
        throw new Error(
          `${entry.library} computes something else: expected ${expected} but received ${received}`,
        );
      }
    });
  }
}

/** Prints one comparison. */
export function printTable(title: string, rows: ReturnType<typeof withRatios>): void {
  const round = (value: number, digits = 3) => Number(value.toFixed(digits));
  console.log(`\n${title}`);
  console.table(
    rows.map((row) =>
      'seconds' in row
        ? {
            library: `${row.library} ${row.version}`,
            'median s': round(row.seconds.median),
            p10: round(row.seconds.p10),
            p90: round(row.seconds.p90),
            '× synglot': round(row.times_synglot, 2),
            'CPU s': round(row.cpu_seconds),
            '× synglot CPU': round(row.times_synglot_cpu, 2),
            'cold start s': round(row.cold_start_seconds, 1),
            loss: row.loss ? round(row.loss.first, 5) : '',
            load: round(row.load_before, 1),
          }
        : { library: row.failed },
    ),
  );
}
