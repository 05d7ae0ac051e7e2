/** PEER of random rankings against its authors' peer_measure; the chi-square distribution against scipy. */
import { readFileSync } from 'node:fs';
import { chiSquareTail, type GradedPassage, peer } from '@synglot/eval';
import { expect, it } from 'vitest';

interface Case {
  readonly order: readonly string[];
  readonly lang: Readonly<Record<string, string>>;
  readonly grades: Readonly<Record<string, number>>;
  readonly weights: Readonly<Record<string, number>>;
  readonly k: number;
  readonly peer: number;
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/measures/peer.json', import.meta.url), 'utf8'),
) as {
  readonly chi_square: readonly { readonly x: number; readonly freedom: number; readonly tail: number }[];
  readonly cases: readonly Case[];
};

it('is that of peer_measure, with cutoffs, grades and passages that were not retrieved', () => {
  const values = new Set<number>();
  for (const { order, lang, grades, weights, k, peer: expected } of fixture.cases) {
    const passage = (id: string): GradedPassage => ({ lang: lang[id]!, grade: grades[id] ?? 0 });
    const first = order.slice(0, k);
    const unretrieved = Object.keys(grades).filter((id) => grades[id]! > 0 && !first.includes(id));
    const byGrade = new Map(Object.entries(weights).map(([grade, weight]) => [Number(grade), weight]));
    const value = peer(first.map(passage), unretrieved.map(passage), byGrade);
    expect(Math.abs(value - expected), JSON.stringify({ order, k, value, expected })).toBeLessThan(1e-9);
    values.add(value);
  }
  // Not all of them are the trivial 0 and 1.
  expect(values.size).toBeGreaterThan(50);
});

it('tails of chi-square are those of scipy', () => {
  for (const { x, freedom, tail } of fixture.chi_square) {
    const error = Math.abs(chiSquareTail(x, freedom) - tail);
    expect(error, `${x}, ${freedom} degrees of freedom`).toBeLessThanOrEqual(1e-12 * tail + 1e-300);
  }
});
