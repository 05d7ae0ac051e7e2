import { afterEach, expect, it, vi } from 'vitest';
import { type FailedPart, unlessItFails } from './failures.js';

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

it('a part that fails is told and kept, and the next one is measured', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const failed: FailedPart[] = [];
  const fails = async (): Promise<number> => {
    throw new Error('element 3 is NaN,\nexpected 1');
  };

  expect(await unlessItFails(failed, 'matmul nt', fails)).toBeUndefined();
  expect(process.exitCode).toBe(1);
  expect(await unlessItFails(failed, 'matmul nn', async () => 7)).toBe(7);

  expect(failed).toEqual([{ name: 'matmul nt', error: 'element 3 is NaN, expected 1' }]);
  expect(told.mock.calls).toEqual([['matmul nt failed: element 3 is NaN, expected 1']]);
});
