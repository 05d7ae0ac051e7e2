import { describe, expect, test } from 'vitest';
import { contrastive } from '../loss/contrastive.js';
import type { LossDirection } from '../loss/info-nce.js';
import type { TiledObjective } from '../loss/objective.js';
import { buildLossTilePlans, lossTiles } from './loss-tile-plan.js';

const tilesOf = (temperature: number, direction: LossDirection) =>
  contrastive({ temperature, direction }).tiles as TiledObjective;
const build = (rows: number, direction: 'query-to-passage' | 'passage-to-query' | 'both' = 'both') =>
  buildLossTilePlans({ ...tilesOf(0.05, direction), tile: 16, rows, dimension: 8 });

describe('the tiles of a batch', () => {
  test('cover every pair once, candidates fastest', () => {
    const seen: number[] = [];
    for (const { queryBegin, queries, candidateBegin, candidates } of lossTiles(10, 23, 4)) {
      for (let query = queryBegin; query < queryBegin + queries; query++) {
        for (let candidate = candidateBegin; candidate < candidateBegin + candidates; candidate++) {
          seen.push(query * 23 + candidate);
        }
      }
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 230 }, (_, index) => index));
    const begins = [...lossTiles(5, 9, 4)].map((tile) => [tile.queryBegin, tile.candidateBegin]);
    expect(begins).toEqual([
      [0, 0],
      [0, 4],
      [0, 8],
      [4, 0],
      [4, 4],
      [4, 8],
    ]);
  });
});

describe('the plans of a tile', () => {
  test('own the same memory whatever the batch', () => {
    const owned = (rows: number) =>
      Object.values(build(rows)).flatMap((plan) => plan.buffers.filter(({ role }) => role !== 'external'));
    expect(owned(100_000)).toEqual(owned(64));
  });

  test('compute statistics of the directions that count', () => {
    const labels = (direction: 'query-to-passage' | 'passage-to-query' | 'both') =>
      build(64, direction).statistics.commands.flatMap((command) =>
        command.kind === 'dispatch' && command.label.endsWith('statistics') ? [command.label] : [],
      );
    expect(labels('query-to-passage')).toEqual(['row statistics']);
    expect(labels('passage-to-query')).toEqual(['column statistics']);
    expect(labels('both')).toEqual(['row statistics', 'column statistics']);
  });

  test('a tile is a multiple of 4', () => {
    const options = { ...tilesOf(1, 'both'), tile: 10, rows: 64, dimension: 8 } as const;
    expect(() => buildLossTilePlans(options)).toThrow(/multiple of 4 but received 10/);
  });
});
