/** Which texts a teacher is given. */
import { TrainingSetBuilder } from '@synglot/data';
import { expect, test } from 'vitest';
import { Teacher, teacherTexts } from './teacher.js';
import { row } from './test-support.js';

test('every question and passage in its language, those among which negatives are mined too', () => {
  const builder = new TrainingSetBuilder();
  builder.add({ query: row('q', 'en'), passage: row('p', 'en'), negatives: [row('n', 'en')] });
  builder.add({ query: row('k', 'fi', 'q'), passage: row('v', 'fi', 'p'), negatives: [] });
  builder.addPassage(row('c', 'en'));
  const set = builder.build();
  const texts = teacherTexts(set, 'en');
  expect(texts.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'query q',
    'passage p',
    'passage n',
    'passage c',
  ]);
  const keys = texts.map(({ key }) => key);
  expect(new Teacher('t', 1, keys, new Float32Array(4)).coverage(set)).toEqual({ found: 4, total: 4 });
});
