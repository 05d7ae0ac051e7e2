/**
 * Work that is begun before earlier work has finished, so that a device always has its next run queued. It does not
 * order anything on the device: runs of one executor execute in the order of the calls.
 */

/**
 * Begins `work` for each item in order, at most `depth` at a time, and yields items and results in order. After a
 * failure, or when the consumer leaves, nothing more is begun and what is pending is waited for.
 *
 * @throws what `work` throws, at the failing item's turn
 *
 * @example
 * for await (const [batch, vectors] of inFlight(batches, 2, (batch) => embed(batch))) keep(batch, vectors);
 */
export async function* inFlight<Item, Result>(
  items: Iterable<Item>,
  depth: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<readonly [Item, Result], void, void> {
  const begun: { item: Item; result: Promise<Result> }[] = [];
  const rest = items[Symbol.iterator]();
  const begin = () => {
    const { done, value } = rest.next();
    if (done) return;
    const result = work(value);
    // Its failure is thrown at its turn; until then it must not count as unhandled.
    result.catch(() => undefined);
    begun.push({ item: value, result });
  };
  try {
    for (let index = 0; index < depth; index++) begin();
    while (begun.length > 0) {
      const { item, result } = begun[0]!;
      const answer = await result;
      begun.shift();
      begin();
      yield [item, answer];
    }
  } finally {
    await Promise.allSettled(begun.map(({ result }) => result));
    rest.return?.();
  }
}
