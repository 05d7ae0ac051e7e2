/** The sampler's state: resuming goes on exactly, and what does not fit is refused. */
import { describe, expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import { BatchSampler } from './sampler.js';
import { draw, langs, options, parallel } from './test-support.js';

describe('state', () => {
  const pairs = parallel({ items: 90, langs, perPassage: 3 });
  const set = TrainingSet.from(pairs);
  const same = options({ alpha: 0.4, languages: { smoothed: 0.7 } });

  test.each([0, 1, 7, 40, 300])('resuming after %i batches goes on exactly', (steps) => {
    const unbroken = new BatchSampler(set, same);
    draw(unbroken, steps);
    const state: unknown = JSON.parse(JSON.stringify(unbroken.state()));
    const expected = draw(unbroken, 40);
    const resumed = new BatchSampler(TrainingSet.from(pairs), same);
    draw(resumed, 3);
    resumed.restore(state);
    expect(resumed.step).toBe(steps);
    expect(draw(resumed, 40)).toEqual(expected);
  });

  test('does not grow with the steps', () => {
    const sampler = new BatchSampler(set, same);
    draw(sampler, 200);
    const early = JSON.stringify(sampler.state()).length;
    draw(sampler, 2000);
    expect(JSON.stringify(sampler.state()).length).toBeLessThan(early * 1.3);
  });

  test('another seed draws other batches', () => {
    const ids = (seed: number) =>
      draw(new BatchSampler(set, { ...same, seed }), 5).flatMap((batch) =>
        batch.pairs.map((pair) => pair.query.id),
      );
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)).not.toEqual(ids(2));
  });

  test.each([
    ['other data', new BatchSampler(TrainingSet.from(pairs.slice(4)), same), 'other training data'],
    ['other options', new BatchSampler(set, { ...same, batchSize: 9 }), 'other sampler options'],
    ['another seed', new BatchSampler(set, { ...same, seed: 12 }), 'another seed'],
  ])('a state of %s is refused', (_, other, message) => {
    const sampler = new BatchSampler(set, same);
    draw(sampler, 3);
    expect(() => sampler.restore(other.state())).toThrow(message);
    expect(() => sampler.restore(other.state())).toThrow(expect.objectContaining({ code: 'INPUT_STATE' }));
    expect(sampler.step).toBe(3);
  });

  test('a damaged state is refused', () => {
    const sampler = new BatchSampler(set, same);
    draw(sampler, 3);
    const state = sampler.state();
    const [index, epoch, , passedOver] = state.strata[0]!;
    const refused = (damaged: unknown) =>
      expect(() => sampler.restore(damaged)).toThrow(expect.objectContaining({ code: 'INPUT_STATE' }));
    refused(null);
    refused({ ...state, version: 2 });
    refused({ ...state, step: -1 });
    refused({ ...state, strata: [[index, epoch, 1e6, passedOver]] });
    refused({ ...state, strata: [[index, epoch, 0, passedOver, 1e6]] });
    refused({ ...state, strata: [[1e6, 0, 0, 0]] });
    refused({ ...state, strata: [[index, epoch]] });
    refused({ ...state, strata: {} });
    expect(sampler.state()).toEqual(state);
  });
});
