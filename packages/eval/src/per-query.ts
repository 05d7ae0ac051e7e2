/** Keeps the value of every measure for every query, for tests of significance and for the worst queries. */
import { questionsOf } from './bias/questions.js';
import { digestOf, type RetrievalCollection } from './collection.js';
import type { PerQueryValues } from './report.js';

type Column = (number | null)[];

/** Records values by pool and measure; a query that was not measured in a pool has null there. */
export class PerQueryRecorder {
  private readonly pools: Record<string, Record<string, Column>>;
  private readonly mixed: Record<string, Column>;
  private readonly distances: Column;

  constructor(
    private readonly collection: RetrievalCollection,
    names: readonly string[],
  ) {
    const column = (): Column => new Array(collection.queries.length).fill(null);
    const columns = () => Object.fromEntries(names.map((name) => [name, column()]));
    this.pools = Object.fromEntries(collection.langs.map((lang) => [lang, columns()]));
    this.mixed = columns();
    this.distances = column();
  }

  /** @param pool - language of the pool; undefined is the mixed one */
  add(query: number, pool: string | undefined, name: string, value: number): void {
    const columns = pool === undefined ? this.mixed : this.pools[pool]!;
    columns[name]![query] = value;
  }

  addDistance(query: number, distance: number): void {
    this.distances[query] = distance;
  }

  values(): PerQueryValues {
    const { queries } = this.collection;
    return {
      content: digestOf(this.collection),
      queries: queries.map(({ id }) => id),
      langs: queries.map(({ lang }) => lang),
      questions: questionsOf(this.collection),
      pools: this.pools,
      multilingual: this.mixed,
      rank_distance: this.distances,
    };
  }
}

/** The values of some of the measures alone. */
export function onlyMeasures(values: PerQueryValues, names: readonly string[]): PerQueryValues {
  const only = (columns: Record<string, Column>) =>
    Object.fromEntries(Object.entries(columns).filter(([name]) => names.includes(name)));
  return {
    ...values,
    pools: Object.fromEntries(Object.entries(values.pools).map(([lang, columns]) => [lang, only(columns)])),
    multilingual: only(values.multilingual),
  };
}

/**
 * Whether two systems were asked the same: equal questions and pools, of which the same were measured. Where a report
 * has no digest of its collection, ids decide.
 */
export function askedTheSame(a: PerQueryValues, b: PerQueryValues): boolean {
  const digest = a.content !== undefined && b.content !== undefined;
  const shapeOf = ({ content, ...rest }: PerQueryValues) =>
    JSON.stringify([digest && content, rest], (_, value: unknown) => (typeof value === 'number' ? 0 : value));
  return shapeOf(a) === shapeOf(b);
}
