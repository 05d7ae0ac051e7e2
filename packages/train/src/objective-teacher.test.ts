import type { Row } from '@synglot/data';
import { rowWeightsFeed, teacherFeed } from '@synglot/nn';
import { expect, test } from 'vitest';
import { distillationObjective } from './objective-teacher.js';
import type { ObjectiveContext } from './objectives.js';
import type { Teacher } from './teacher.js';
import { row } from './test-support.js';

/** A text that is both asked and answered with has an embedding for each. */
const known = new Map([
  ['query a', Float32Array.of(3, 4)],
  ['passage a', Float32Array.of(0, 2)],
  ['passage n', Float32Array.of(0, 0)],
]);
const teacher = {
  dimension: 2,
  vector: (kind: string, { id }: Row) => known.get(`${kind} ${id}`),
} as unknown as Teacher;
const pairs = [
  { query: row('a'), passage: row('a'), negatives: [row('m'), row('n')] },
  { query: row('b'), passage: row('b'), negatives: [] },
];

test.each([
  ['mse', [3, 4, 0, 0], [0, 2, 0, 0, 0, 0, 0, 0]],
  ['cosine', [0.6, 0.8, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]],
] as const)(
  '%s: each row has its own embedding; rows without one weigh nothing',
  (measure, asked, answers) => {
    const context = { batch: { pairs } } as unknown as ObjectiveContext;
    const feeds = distillationObjective(teacher, { measure, weight: 1 }).feeds!(context);
    const values = (name: string) => [...(feeds[name] as Float32Array)];
    const close = (numbers: readonly number[]) => numbers.map((value) => expect.closeTo(value, 6));
    expect(values(teacherFeed('queries'))).toEqual(close(asked));
    expect(values(teacherFeed('candidates'))).toEqual(close(answers));
    expect(values(rowWeightsFeed('distillation', 'queries'))).toEqual(close([1 / 3, 0]));
    expect(values(rowWeightsFeed('distillation', 'candidates'))).toEqual(close([1 / 3, 0, 0, 1 / 3]));
  },
);
