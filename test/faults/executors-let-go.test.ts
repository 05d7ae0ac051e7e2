/** What an executor has given is held by its user alone: a device lives for days. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Executor } from '@synglot/gpu';
import { expect, test } from 'vitest';
import { describeExecutors } from '../support/each-executor.js';
import { axpyPlan, dispatch, ramp } from './native-support.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describeExecutors((opened) => {
  test('lets go of results, of what was read and of destroyed plans', async () => {
    const given = await use(opened());
    for (let turn = 0; turn < 10; turn++) {
      await setImmediate();
      collect();
    }
    for (const [name, ref] of Object.entries(given)) expect(ref.deref() === undefined, name).toBe(true);
  });
});

/** In a function of its own, whose variables are gone when it has returned. */
async function use(executor: Executor): Promise<Record<string, WeakRef<object>>> {
  const plan = await executor.compile(axpyPlan([dispatch(2)]));
  const result = await plan.run({ feeds: { x: ramp }, reads: ['y'] });
  expect(new Float32Array(result.reads.y as ArrayBuffer)[3]).toBe(6);
  const buffer = executor.createBuffer('b', 16);
  const read = await executor.read(buffer);
  buffer.destroy();
  plan.destroy();
  return { result: new WeakRef(result), read: new WeakRef(read), plan: new WeakRef(plan) };
}
