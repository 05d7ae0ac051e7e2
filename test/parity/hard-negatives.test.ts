/** Mined negatives against sentence-transformers' `mine_hard_negatives`, where the definitions agree. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MiningOptions, TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { mineNegatives } from 'synglot';
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
});
