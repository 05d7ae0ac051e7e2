import type { Pair, Row } from '@synglot/data';
import { marginWeightsFeed, negativeOffsetsFeed, teacherMarginsFeed } from '@synglot/nn';
import { expect, test } from 'vitest';
import { marginMseObjective, scoredMargins, teacherMargins } from './objective-margins.js';
import type { ObjectiveContext } from './objectives.js';
import type { Teacher } from './teacher.js';
import { row } from './test-support.js';

const pair = (id: string, margins: readonly number[]): Pair => ({
  query: row(`q${id}`),
  passage: row(`p${id}`),
  margins,
  negatives: margins.map((_, index) => row(`n${id}${index}`)),
});

test('margins stand where their negatives do, scaled; those that are not known weigh nothing', () => {
  const pairs = [pair('a', [1, Number.NaN]), pair('b', []), pair('c', [-0.5])];
  const capacity = { tokens: 64, queries: 4, candidates: 8 };
  const context = { batch: { pairs }, capacity } as unknown as ObjectiveContext;
  const feeds = marginMseObjective(scoredMargins, { weight: 1, scale: 4 }).feeds!(context);
  const values = (name: string) => [...(feeds[name] as Float32Array)];
  // Candidates: three positives, then the negatives, pair by pair.
  expect(values(negativeOffsetsFeed)).toEqual([3, 5, 5, 6, 6]);
  expect(values(teacherMarginsFeed)).toEqual([0, 0, 0, 4, 0, -2]);
  expect(values(marginWeightsFeed)).toEqual([0, 0, 0, 0.5, 0, 0.5]);
});

test("a teacher's margin is by how much the passage is closer to the question than the negative", () => {
  const vectors = new Map([
    ['query qa', Float32Array.of(1, 2)],
    ['passage pa', Float32Array.of(3, 1)],
    ['passage na0', Float32Array.of(1, 1)],
  ]);
  const teacher = {
    vector: (kind: string, { id }: Row) => vectors.get(`${kind} ${id}`),
  } as unknown as Teacher;
  expect(teacherMargins(teacher)(pair('a', [0, 0]))).toEqual([5 - 3, Number.NaN]);
  expect(teacherMargins(teacher)(pair('b', [0]))).toEqual([Number.NaN]);
});
