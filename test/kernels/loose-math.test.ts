/** Kernels on a device whose functions are as inaccurate as WGSL allows; loose-math.ts says how that is made. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { expectClose, rounding, runKernel } from '../support/kernel-harness.js';
import { loosenMath, withLooseMath } from '../support/loose-math.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

test('calls are replaced, within each other too; names that end alike are left alone', () => {
  expect(loosenMath('y = exp(a - log(b + f(c))); // exp(d)', 'above')).toBe(
    'y = exp((a - (log(b + f(c)) * (1.0 + 3.58e-7) + 4.76e-7)) * (1.0 + 2.38e-7)); ',
  );
  expect(loosenMath('one_minus_exp(x) + near_tanh(x)', 'below')).toBe('one_minus_exp(x) + near_tanh(x)');
});

/** Around the border of the series, small numbers, and where a device may overflow. */
const x = Float32Array.of(0, -0, 1e-20, -1e-4, 0.01, -0.1, 0.2499, -0.25, 0.3, -0.6, 1, -2, 5, -9, 80, -1e4);

const run = (on: Executor, kernel: 'tanh_forward' | 'swish_forward') =>
  runKernel(on, kernel, {
    bindings: { x, y: x.length },
    params: { rows: 1, rows_count: 0, columns: x.length },
    workgroups: [1],
  });

describe.each(['above', 'below'] as const)('functions that err %s', (side) => {
  test('change what is made of exp, by as little as is allowed', async () => {
    const { y } = await run(withLooseMath(executor, side), 'swish_forward');
    expect(y).not.toEqual((await run(executor, 'swish_forward')).y);
    const reference = Float64Array.from(x, (value) => value / (1 + Math.exp(-value)));
    expectClose(y, reference, rounding, 'swish');
  });

  test('leave tanh precise, of small numbers too', async () => {
    const { y } = await run(withLooseMath(executor, side), 'tanh_forward');
    expectClose(y, Float64Array.from(x, Math.tanh), { absolute: 0, relative: 2e-6 }, 'tanh');
  });
});
