import { expect, test } from 'vitest';
import { inFlight } from './in-flight.js';

/** Work whose answers the test gives. */
function manual() {
  const begun: { item: number; answer(value: string): void; fail(error: Error): void }[] = [];
  const work = (item: number) =>
    new Promise<string>((answer, fail) => {
      begun.push({ item, answer, fail });
    });
  return { begun, work };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('two are begun, a third when the first has answered; answers come in order', async () => {
  const { begun, work } = manual();
  const seen: unknown[] = [];
  const all = (async () => {
    for await (const pair of inFlight([1, 2, 3], 2, work)) seen.push(pair);
  })();
  await turn();
  expect(begun.map(({ item }) => item)).toEqual([1, 2]);
  begun[1]!.answer('b');
  await turn();
  expect(seen).toEqual([]);
  expect(begun).toHaveLength(2);
  begun[0]!.answer('a');
  await turn();
  expect(begun.map(({ item }) => item)).toEqual([1, 2, 3]);
  begun[2]!.answer('c');
  await all;
  expect(seen).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
});

test('a failure is told at its turn, after what was begun has answered, and nothing more is begun', async () => {
  const { begun, work } = manual();
  const seen: number[] = [];
  let failure: unknown;
  const all = (async () => {
    for await (const [item] of inFlight([1, 2, 3, 4], 2, work)) seen.push(item);
  })().catch((error: unknown) => {
    failure = error;
  });
  await turn();
  begun[1]!.fail(new Error('second'));
  begun[0]!.answer('a');
  await turn();
  // The second has failed; the third was begun before that was seen.
  expect(begun).toHaveLength(3);
  expect(failure).toBeUndefined();
  begun[2]!.answer('c');
  await all;
  expect(failure).toEqual(new Error('second'));
  expect(seen).toEqual([1]);
  expect(begun).toHaveLength(3);
});

test('a consumer that leaves waits for what was begun', async () => {
  const { begun, work } = manual();
  let left = false;
  const all = (async () => {
    for await (const [item] of inFlight([1, 2, 3], 2, work)) if (item === 1) break;
    left = true;
  })();
  await turn();
  begun[0]!.answer('a');
  await turn();
  expect(left).toBe(false);
  for (const { answer } of begun.slice(1)) answer('later');
  await all;
  expect(begun).toHaveLength(3);
});
