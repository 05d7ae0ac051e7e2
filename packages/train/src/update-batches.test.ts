/** Batches of a source of one's own: in its order, drawn ahead, and again from a state. */
import { type Batch, pairsFromParallel } from '@synglot/data';
import { expect, test } from 'vitest';
import { type BatchSource, type PreparedUpdate, UpdateBatches } from './update-batches.js';

/** Batch n has one pair, whose texts are n. */
class Counting implements BatchSource {
  #next = 0;

  next(): Batch {
    const index = this.#next++;
    const row = { key: `${index}`, query: `question ${index}`, passage: `answer ${index}` };
    const pairs = [...pairsFromParallel([{ ...row, lang: 'en', dataset: 'own', domain: 'own' }])];
    return { index, mode: 'monolingual', queryLang: 'en', passageLang: 'en', dataset: 'own', pairs };
  }

  state(): unknown {
    return this.#next;
  }

  restore(state: unknown): void {
    this.#next = state as number;
  }
}

const indices = ({ batches }: PreparedUpdate) => batches.map(({ batch }) => batch.index);

test('a source of one’s own is drawn from in order, ahead, and again from a state', async () => {
  const sampler = new Counting();
  const encode = async (texts: readonly string[]) => texts.map(({ length }) => Uint32Array.of(length));
  const batches = new UpdateBatches({ sampler, encode, accumulation: 2, prefetch: 3 });
  const first = await batches.next();
  expect(indices(first)).toEqual([0, 1]);
  expect(first.batches[0]?.packed.counts).toMatchObject({ queries: 1, candidates: 1, tokens: 2 });
  batches.prepareAhead(10);
  expect(sampler.state()).toBe(8);
  expect(indices(await batches.next())).toEqual([2, 3]);
  await batches.settle();
  batches.restart(first.samplerState);
  expect(indices(await batches.next())).toEqual([2, 3]);
});
