/** Mined negatives against sentence-transformers' `mine_hard_negatives`, where the definitions agree. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MiningOptions, TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { mineNegatives, writeMined } from 'synglot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestExecutor } from '../support/executor.js';

interface Fixture {
  readonly pairs: readonly (readonly [string, string])[];
  readonly embeddings: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly options: Readonly<Record<string, number>>;
    readonly negatives: Readonly<Record<string, readonly string[]>>;
  }[];
}

const fixture = JSON.parse(
  await readFile(join(import.meta.dirname, '../fixtures/mining/hard-negatives.json'), 'utf8'),
) as Fixture;
const names: Readonly<Record<string, keyof MiningOptions>> = {
  num_negatives: 'negatives',
  range_min: 'rangeMin',
  range_max: 'rangeMax',
  absolute_margin: 'absoluteMargin',
  relative_margin: 'relativeMargin',
  max_score: 'maxScore',
  min_score: 'minScore',
};

describe('mine_hard_negatives of sentence-transformers', () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openTestExecutor();
  });
  afterAll(() => executor.destroy());

  const row = (text: string) => ({
    id: text,
    text,
    lang: 'en',
    parallelId: text,
    dataset: 'd',
    domain: 'd',
  });
  const set = TrainingSet.from(
    fixture.pairs.map(([query, passage]) => ({ query: row(query), passage: row(passage), negatives: [] })),
  );
  const embed = async (texts: readonly string[]) =>
    Float32Array.from(texts.flatMap((text) => fixture.embeddings[text]!));

  it.each(fixture.cases)('$options', async ({ options, negatives }) => {
    const own = Object.fromEntries(Object.entries(options).map(([name, value]) => [names[name]!, value]));
    const { mined } = await mineNegatives({
      ...own,
      executor,
      set,
      embedQueries: embed,
      embedPassages: embed,
    });
    const found = mined
      .filter((one) => one.negatives.length > 0)
      .map((one) => [
        set.rows[one.question.query]!.text,
        one.negatives.map((negative) => set.rows[negative.row]!.text),
      ]);
    expect(Object.fromEntries(found)).toEqual(negatives);
  });

  it('leaves nothing of a file whose writing is stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'synglot-mined-'));
    const { data, mined } = await mineNegatives({
      executor,
      set,
      embedQueries: embed,
      embedPassages: embed,
    });
    for (const name of ['mined.jsonl', 'mined.jsonl.gz']) {
      await expect(writeMined(join(folder, name), data, mined, AbortSignal.abort('stop'))).rejects.toBe(
        'stop',
      );
      expect(await readdir(folder)).toEqual([]);
      expect(await writeMined(join(folder, name), data, mined)).toBeGreaterThan(0);
      expect(await readdir(folder)).toEqual([name]);
      await rm(join(folder, name));
    }
    await rm(folder, { recursive: true });
  });

  it('finds for each question what it finds alone, beside one with many answers that is asked many times', async () => {
    const { options } = fixture.cases[0]!;
    const many = Array.from({ length: 300 }, (_, index) => ({
      query: { ...row('Five stars'), parallelId: `stars ${index}` },
      passage: row(`Review ${index}`),
      negatives: [],
    }));
    const asked: string[] = [];
    const searched: [number, number][] = [];
    // In a dimension of their own, where the fixture's questions find no reviews.
    const nothing = Object.values(fixture.embeddings)[0]!.map(() => 0);
    const vectorOf = (text: string) => {
      asked.push(text);
      const vector = fixture.embeddings[text];
      return vector ? [...vector, 1] : [...nothing, text === 'Five stars' ? -1 : -10];
    };
    const embedAny = async (texts: readonly string[]) => Float32Array.from(texts.flatMap(vectorOf));
    const pairs = fixture.pairs.map(([query, passage]) => ({
      query: row(query),
      passage: row(passage),
      negatives: [],
    }));
    const range = { negatives: options.num_negatives!, rangeMax: options.range_max! };
    const mineIn = async (set: TrainingSet) => {
      const embedding = { embedQueries: embedAny, embedPassages: embedAny };
      searched.length = 0;
      const onSearch = (done: number, questions: number) => searched.push([done, questions]);
      const { mined } = await mineNegatives({ ...range, executor, set, onSearch, ...embedding });
      return mined.map((one) => [
        set.rows[one.question.query]!.text,
        one.negatives.map((negative) => set.rows[negative.row]!.text),
      ]);
    };
    const alone = await mineIn(TrainingSet.from(pairs));
    asked.length = 0;
    const beside = await mineIn(TrainingSet.from([...pairs, ...many]));
    expect(asked.filter((text) => text === 'Five stars')).toHaveLength(1);
    // Those that are searched for to the same depth, then the others.
    expect(searched).toEqual([
      [alone.length, beside.length],
      [beside.length, beside.length],
    ]);
    expect(beside.slice(0, alone.length)).toEqual(alone);
    const stars = beside.slice(alone.length);
    expect(stars).toHaveLength(many.length);
    const [, first] = stars[0]!;
    expect(first).toHaveLength(range.negatives);
    expect(first).not.toContainEqual(expect.stringMatching('Review'));
    for (const one of stars) expect(one).toEqual(stars[0]);
  });
});
