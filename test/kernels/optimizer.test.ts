/** adamw, sgd and the two stages of clipping, in PyTorch's order of operations, against float64. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { expectClose, expectUntouched, rounding, runKernel } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Elements and workgroups: one vector; exactly one pass; a ragged stride. */
const sizes = [
  { elements: 4, workgroups: 1 },
  { elements: 256, workgroups: 1 },
  { elements: 1000, workgroups: 2 },
] as const;

const clip = Float32Array.of(7, 0.75, 0);
const learning_rate_scale = 0.5;
const update = (step: number, beta1 = 0.9, beta2 = 0.999) => ({ step, learningRate: 0.02, beta1, beta2 });
const betas = (beta1 = 0.9, beta2 = 0.999) => ({
  beta_2: beta2,
  new_share_1: 1 - beta1,
  new_share_2: 1 - beta2,
  log_beta_1: Math.log(beta1),
  log_beta_2: Math.log(beta2),
});

describe.each(sizes)('$elements elements, $workgroups workgroups', ({ elements, workgroups }) => {
  test.each([
    { weight_decay: 0, epsilon: 1e-8, before: 0 },
    { weight_decay: 0.01, epsilon: 1e-8, before: 0 },
    // Large enough to tell where it is added.
    { weight_decay: 0.01, epsilon: 0.1, before: 0 },
    // Frozen for so many updates of the run, which its bias corrections do not count.
    { weight_decay: 0.01, epsilon: 1e-8, before: 5 },
    { weight_decay: 0.01, epsilon: 1e-8, before: 1000 },
    // Where the correction is no longer a series, and where there is none left.
    { weight_decay: 0.01, epsilon: 1e-8, before: 5, since: 8 },
    { weight_decay: 0.01, epsilon: 1e-8, before: 5, since: 1_000_000 },
    { weight_decay: 0.01, epsilon: 1e-8, before: 0, since: 1_000_000 },
    // 1 - beta would have few digits in f32, and none.
    { weight_decay: 0.01, epsilon: 1e-8, before: 0, beta1: 0.9999, beta2: 0.9999999 },
    { weight_decay: 0.01, epsilon: 1e-8, before: 0, beta1: 0.5, beta2: 1 - 1e-9 },
  ])('adamw: three updates, %j', async (given) => {
    const { weight_decay, epsilon, before, since = 1, beta1 = 0.9, beta2 = 0.999 } = given;
    let parameter = randomFloats(elements, 1);
    let first: Float32Array = new Float32Array(elements);
    let second: Float32Array = new Float32Array(elements);
    const expected = Float64Array.from(parameter);
    const m = new Float64Array(elements);
    const v = new Float64Array(elements);
    for (let step = since; step < since + 3; step++) {
      const gradient = randomFloats(elements, 10 + step - since);
      gradient[0] = 0;
      const result = await runKernel(executor, 'adamw', {
        bindings: { gradient, clip, parameter, first_moment: first, second_moment: second },
        params: {
          elements,
          ...betas(beta1, beta2),
          learning_rate_scale,
          weight_decay,
          epsilon,
          updates_before: before,
        },
        workgroups: [workgroups],
        step: { counts: {}, update: update(before + step, beta1, beta2) },
      });
      parameter = result.parameter as Float32Array<ArrayBuffer>;
      first = result.first_moment as Float32Array;
      second = result.second_moment as Float32Array;
      const rate = 0.02 * learning_rate_scale;
      gradient.forEach((raw, i) => {
        const g = raw * 0.75;
        expected[i]! *= 1 - rate * weight_decay;
        m[i] = beta1 * (m[i] as number) + (1 - beta1) * g;
        v[i] = beta2 * (v[i] as number) + (1 - beta2) * g * g;
        const denominator = Math.sqrt(v[i] as number) / Math.sqrt(1 - beta2 ** step) + epsilon;
        expected[i]! -= ((rate / (1 - beta1 ** step)) * (m[i] as number)) / denominator;
      });
    }
    expectClose(first, m, rounding, 'first_moment');
    expectClose(second, v, { absolute: 0, relative: 2e-6 }, 'second_moment');
    expectClose(parameter, expected, { absolute: 2e-6, relative: 2e-6 }, 'parameter');
  });

  test('sgd', async () => {
    const gradient = randomFloats(elements, 2);
    const before = randomFloats(elements, 3);
    const { parameter } = await runKernel(executor, 'sgd', {
      bindings: { gradient, clip, parameter: before },
      params: { elements, weight_decay: 0.1, learning_rate_scale: 0.5 },
      workgroups: [workgroups],
      step: { counts: {}, update: update(1) },
    });
    const expected = Float64Array.from(
      before,
      (value, i) => value - 0.02 * 0.5 * ((gradient[i] as number) * 0.75 + 0.1 * value),
    );
    expectClose(parameter, expected, rounding, 'parameter');
  });

  test.each([64, 256])('sum_of_squares_partial, %i invocations a workgroup', async (WORKGROUP_SIZE) => {
    const x = randomFloats(elements, 4, 3);
    const first = 5;
    const { partials } = await runKernel(executor, 'sum_of_squares_partial', {
      constants: { WORKGROUP_SIZE },
      bindings: { x, partials: first + workgroups + 3 },
      params: { elements, first_partial: first },
      workgroups: [workgroups],
    });
    const expected = new Float64Array(workgroups);
    x.forEach((value, i) => {
      expected[Math.floor(i / 4 / WORKGROUP_SIZE) % workgroups]! += value * value;
    });
    expectClose(partials?.slice(first), expected, rounding, 'partials');
    expectUntouched(partials?.slice(0, first), 0, 'partials of others before');
    expectUntouched(partials, first + expected.length, 'partials of others after');
  });
});

test.each([
  { count: 1, maximum_norm: 1, gradientScale: 1, why: 'clips' },
  { count: 64, maximum_norm: 100, gradientScale: 1, why: 'is small enough' },
  { count: 331, maximum_norm: 1, gradientScale: 0.25, why: 'clips after the gradient scale' },
  { count: 331, maximum_norm: 0, gradientScale: 0.25, why: 'is never clipped' },
])('clip_factor: a norm of $count partials $why', async ({ count, maximum_norm, gradientScale }) => {
  const partials = randomFloats(count, 5, 3).map(Math.abs);
  const { clip: result } = await runKernel(executor, 'clip_factor', {
    bindings: { partials, clip: 3 },
    params: { partials: count, maximum_norm },
    workgroups: [1],
    step: { counts: {}, gradientScale },
  });
  const norm = Math.sqrt(partials.reduce((sum, value) => sum + value, 0)) * gradientScale;
  const factor = maximum_norm > 0 ? Math.min(1, maximum_norm / (norm + 1e-6)) : 1;
  expectClose(result, [norm, factor * gradientScale, 0], rounding, 'clip');
});

test('clip_factor: torch adds 1e-6 to the norm', async () => {
  const { clip: result } = await runKernel(executor, 'clip_factor', {
    bindings: { partials: Float32Array.of(1e-12), clip: 3 },
    params: { partials: 1, maximum_norm: 1e-6 },
    workgroups: [1],
  });
  expectClose(result, [1e-6, 0.5, 0], { absolute: 0, relative: 1e-5 }, 'clip');
});

test('clip_factor: a gradient of zeros is left alone', async () => {
  const { clip: result } = await runKernel(executor, 'clip_factor', {
    bindings: { partials: new Float32Array(64), clip: 3 },
    params: { partials: 64, maximum_norm: 1 },
    workgroups: [1],
  });
  expectClose(result, [0, 1, 0], { absolute: 0, relative: 0 }, 'clip');
});

describe('overflow', () => {
  const run = async (x: Float32Array, WORKGROUP_SIZE = 64) => {
    const { partials } = await runKernel(executor, 'sum_of_squares_partial', {
      constants: { WORKGROUP_SIZE },
      bindings: { x, partials: 2 },
      params: { elements: x.length, first_partial: 0 },
      workgroups: [2],
    });
    const { clip: result } = await runKernel(executor, 'clip_factor', {
      bindings: { partials: partials as Float32Array, clip: 3 },
      params: { partials: 2, maximum_norm: 1 },
      workgroups: [1],
    });
    return { partials: [...(partials as Float32Array)], clip: [...(result as Float32Array)] };
  };

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
    'one element of %s among many is found, wherever it lies',
    async (value) => {
      for (const index of [0, 255, 256, 1023]) {
        const x = randomFloats(1024, 6);
        x[index] = value;
        for (const size of [64, 256]) {
          const { partials, clip: result } = await run(x, size);
          expect(partials.filter((partial) => partial === -1)).toHaveLength(1);
          expect(result).toEqual([0, 0, 1]);
        }
      }
    },
  );

  test('large numbers are none, until the sum of their squares leaves f32', async () => {
    const large = await run(new Float32Array(8).fill(1e18));
    expect(large.clip[2]).toBe(0);
    expect(large.clip[0]).toBeCloseTo(Math.sqrt(8) * 1e18, -13);
    expect((await run(new Float32Array(8).fill(1e19))).clip).toEqual([0, 0, 1]);
  });

  test('after one, adamw and sgd leave every bit as it was', async () => {
    const gradient = randomFloats(64, 7);
    const [parameter, first, second] = [randomFloats(64, 8), randomFloats(64, 9), randomFloats(64, 10)];
    const overflow = Float32Array.of(0, 0, 1);
    const step = { counts: {}, update: update(1) };
    const adamw = await runKernel(executor, 'adamw', {
      bindings: { gradient, clip: overflow, parameter, first_moment: first, second_moment: second },
      params: {
        elements: 64,
        ...betas(),
        learning_rate_scale,
        updates_before: 0,
        weight_decay: 0.1,
        epsilon: 1e-8,
      },
      workgroups: [1],
      step,
    });
    expect(adamw).toEqual({ parameter, first_moment: first, second_moment: second });
    const sgd = await runKernel(executor, 'sgd', {
      bindings: { gradient, clip: overflow, parameter },
      params: { elements: 64, weight_decay: 0.1, learning_rate_scale: 1 },
      workgroups: [1],
      step,
    });
    expect(sgd).toEqual({ parameter });
  });
});
