import { codeSwitching, LexiconBuilder, type Pair } from '@synglot/data';
import { expect, it } from 'vitest';
import { inTurns } from './rewrite-in-turns.js';

const row = (id: string, text: string) => ({
  id,
  text,
  lang: 'en',
  parallelId: id,
  dataset: 'colours',
  domain: 'colours',
});
/** Pairs of which every third has no negative and every other two. */
const pairs: Pair[] = Array.from({ length: 37 }, (_, index) => ({
  query: row(`q${index}`, `is red number ${index} old?`),
  passage: row(`p${index}`, `the old red house ${index}`),
  negatives: index % 3 === 0 ? [] : [row(`a${index}`, `old ${index}`), row(`b${index}`, `red ${index}`)],
}));
const builder = new LexiconBuilder('en', 'fi', 'made up');
builder.add('red', 'punainen');
builder.add('old', 'vanha');
const rewrite = codeSwitching({ lexicons: [builder.build()], rate: 0.5, seed: 3 }, ['en']);

it.each([1, 5, 16, 36, 37, 100])('gives what the whole batch gives, %i pairs at a time', async (size) => {
  const whole = rewrite({ index: 4, pairs });
  expect(whole.metrics.switched_words).toBeGreaterThan(0);
  expect(await inTurns(rewrite, size)({ index: 4, pairs })).toEqual(whole);
});

it('lets the event loop have its turns', async () => {
  let turns = 0;
  let timer = setImmediate(function turn() {
    turns++;
    timer = setImmediate(turn);
  });
  await inTurns(rewrite, 5)({ index: 0, pairs });
  clearImmediate(timer);
  expect(turns).toBeGreaterThanOrEqual(6);
});
