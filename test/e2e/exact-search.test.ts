/** Exact search on a device against sums in float64 and a full sort: first k, full ranks, ties, odd sizes. */
import { DeviceScorer, memoryVectors, searchTopK, streamRanks } from '@synglot/eval';
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { randomFloats } from '../support/random.js';
import { tight, watched } from '../support/watched-executor.js';

let device: Executor;
beforeAll(async () => {
  device = await openTestExecutor();
});
afterAll(() => device?.destroy());

/** Small whole numbers: every sum is exact in f32, and many are equal. */
const whole = (count: number, seed: number) =>
  randomFloats(count, seed).map((value) => Math.round(3 * value));

const shapes = [
  { rows: 1, queries: 1, dimension: 1, k: 1, rowBlock: 64, queryBlock: 256 },
  { rows: 5, queries: 3, dimension: 4, k: 9, rowBlock: 64, queryBlock: 2 },
  { rows: 257, queries: 7, dimension: 18, k: 10, rowBlock: 64, queryBlock: 3 },
  { rows: 1031, queries: 19, dimension: 32, k: 100, rowBlock: 256, queryBlock: 16 },
] as const;

describe.each(shapes)('$queries queries, $rows passages of $dimension', (shape) => {
  const { rows, queries: queryCount, dimension, k, rowBlock, queryBlock } = shape;
  const passages = whole(rows * dimension, 1);
  const queries = whole(queryCount * dimension, 2);
  const ids = Array.from({ length: rows }, (_, i) => `d${(i * 7919) % 10_007}`);
  const source = memoryVectors(passages, dimension, ids);
  const scoreOf = (query: number, row: number) => {
    let sum = 0;
    for (let d = 0; d < dimension; d++) {
      sum += queries[query * dimension + d]! * passages[row * dimension + d]!;
    }
    return sum;
  };
  const ranked = Array.from({ length: queryCount }, (_, query) => {
    const scores = Float64Array.from({ length: rows }, (_, row) => scoreOf(query, row));
    const order = Array.from(scores.keys()).sort((a, b) =>
      // Ids are ASCII: their order is that of their bytes. trec_eval takes the later id first.
      scores[a] === scores[b] ? (ids[a]! < ids[b]! ? 1 : -1) : scores[b]! - scores[a]!,
    );
    return { order, scores };
  });

  // With room for one pair nearly every block overflows and is read back whole.
  it.each([undefined, 1, 20])('finds the first k, equal scores by id; capacity %s', async (capacity) => {
    const told: number[] = [];
    const hits = await searchTopK({
      executor: device,
      queries,
      source,
      k,
      rowBlock,
      queryBlock,
      onProgress: (done) => told.push(done),
      ...(capacity ? { capacity } : {}),
    });
    expect(told).toHaveLength(Math.ceil(rows / rowBlock) * Math.ceil(queryCount / queryBlock));
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(rows);
    expect(hits).toHaveLength(queryCount);
    hits.forEach(({ rows: found, scores }, query) => {
      const expected = ranked[query]!.order.slice(0, k);
      expect([...found]).toEqual(expected);
      expect([...scores]).toEqual(expected.map((row) => ranked[query]!.scores[row]));
    });
  });

  it('scores all of them, for collections in memory', async () => {
    const scorer = new DeviceScorer(device);
    const scores = await scorer.score(queries, passages, dimension);
    ranked.forEach(({ scores: expected }, query) => {
      expect([...scores.subarray(query * rows, (query + 1) * rows)]).toEqual([...expected]);
    });
    scorer.destroy();
  });

  it('finds the rank of any passage', async () => {
    const relevant = Array.from({ length: queryCount }, (_, query) =>
      Array.from({ length: rows }, (_, row) => row).filter((row) => (row * 31 + query) % 97 === 0),
    );
    const ranks = await streamRanks({ executor: device, queries, source, relevant, rowBlock, queryBlock });
    ranks.forEach((found, query) => {
      const expected = relevant[query]!.map((row) => ranked[query]!.order.indexOf(row) + 1);
      expect([...found]).toEqual(expected.sort((a, b) => a - b));
    });
  });
});

test('values that are not finite are named, and so is another dimension', async () => {
  const source = memoryVectors(Float32Array.of(1, 2, Number.NaN, 4), 2, ['a', 'b']);
  await expect(
    searchTopK({ executor: device, queries: Float32Array.of(1, 1), source, k: 1 }),
  ).rejects.toThrow(/"b": value 0 is NaN/);
  await expect(searchTopK({ executor: device, queries: Float32Array.of(1), source, k: 1 })).rejects.toThrow(
    /no whole number of rows of 2/,
  );
  const queries = Float32Array.of(1, Number.POSITIVE_INFINITY);
  await expect(searchTopK({ executor: device, queries, source, k: 1 })).rejects.toThrow(/"query 0": value 1/);
});

test('a scorer refuses what is no whole number of rows, and takes one array for rows of another length', async () => {
  const scorer = new DeviceScorer(device);
  const passages = new Float32Array(8).fill(1);
  const score = (queries: number, dimension: number) =>
    scorer.score(new Float32Array(queries).fill(1), passages, dimension);
  await expect(score(3, 4)).rejects.toThrow('queries: 3 values are no whole number of rows of 4; were both');
  await expect(score(6, 6)).rejects.toThrow(
    'candidates: 8 values are no whole number of rows of 6; were both',
  );
  expect([...(await score(4, 4))]).toEqual([4, 4]);
  expect([...(await score(2, 2))]).toEqual([2, 2, 2, 2]);
  scorer.destroy();
});

test('embeddings from a file are told to be floats', () => {
  for (const [given, received] of [
    [[1, 2], 'Array'],
    [new ArrayBuffer(8), 'ArrayBuffer'],
    [undefined, 'undefined'],
  ]) {
    expect(() => memoryVectors(given as unknown as Float32Array, 2, ['a'])).toThrow(
      `expected embeddings as a Float32Array but received ${received}; make one of it`,
    );
  }
});

test('k and sizes that are no whole numbers from 1 are refused', async () => {
  const source = memoryVectors(new Float32Array(8), 4, ['a', 'b']);
  const search = (options: object) =>
    searchTopK({ executor: device, queries: new Float32Array(4), source, k: 1, ...options });
  for (const wrong of [
    { k: 0 },
    { k: -1 },
    { k: 1.5 },
    { k: Number.NaN },
    { queryBlock: 0 },
    { rowBlock: -64 },
  ]) {
    const [[name, value]] = Object.entries(wrong) as [[string, number]];
    await expect(search(wrong)).rejects.toMatchObject({
      code: 'INPUT_OPTION',
      message: `${name}: expected a whole number from 1 but received ${value}`,
    });
  }
});

test('a search for which there is no memory leaves nothing on the device', async () => {
  const { executor, alive, made } = tight(device, 2);
  const source = memoryVectors(new Float32Array(8), 4, ['a', 'b']);
  await expect(searchTopK({ executor, queries: new Float32Array(4), source, k: 1 })).rejects.toThrow(
    'no memory for plan 2',
  );
  expect([made(), ...alive]).toEqual([3]);
});

describe('a scorer of three blocks of passages', () => {
  const rows = 20_000;
  const passages = whole(rows * 4, 3);
  const score = (scorer: DeviceScorer) => scorer.score(Float32Array.of(1, 2, 3, 4), passages, 4);

  test('keeps them once, whatever calls overlap', async () => {
    const { executor, made } = watched(device);
    const scorer = new DeviceScorer(executor);
    const [first, ...others] = await Promise.all([score(scorer), score(scorer), score(scorer)]);
    expect([...first!]).toEqual(
      Array.from({ length: rows }, (_, row) =>
        [1, 2, 3, 4].reduce((sum, weight, at) => sum + weight * passages[row * 4 + at]!, 0),
      ),
    );
    for (const other of others) expect(other).toEqual(first);
    expect(made()).toBe(6);
    scorer.destroy();
  });

  test('leaves nothing on the device where there is no memory, or where it is destroyed meanwhile', async () => {
    const full = tight(device, 2);
    const scorer = new DeviceScorer(full.executor);
    await expect(score(scorer)).rejects.toThrow('no memory for plan 2');
    scorer.destroy();
    const other = watched(device, async (...given) => {
      destroyed.destroy();
      return device.compile(...given);
    });
    const destroyed = new DeviceScorer(other.executor);
    await expect(score(destroyed)).rejects.toThrow(/buffer 'candidates' was destroyed/);
    expect([full.made(), ...full.alive, other.made(), ...other.alive]).toEqual([3, 2]);
  });
});

test('no query, and no passage, give no hit', async () => {
  const empty = memoryVectors(new Float32Array(0), 4, []);
  const [hits] = await searchTopK({ executor: device, queries: new Float32Array(4), source: empty, k: 3 });
  expect(hits!.rows).toHaveLength(0);
  const source = memoryVectors(new Float32Array(8), 4, ['a', 'b']);
  expect(await searchTopK({ executor: device, queries: new Float32Array(0), source, k: 3 })).toEqual([]);
});
