import { expect, test } from 'vitest';
import { SeenIds } from './seen-ids.js';

test('an id is new once, also where one set is full', () => {
  const seen = new SeenIds(2);
  const ids = ['a', 'b', 'a', 'c', 'd', 'e', 'b', 'd', 'e', 'f'];
  expect(ids.filter((id) => seen.add(id))).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});
