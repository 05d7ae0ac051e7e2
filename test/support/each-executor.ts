/** Tests of both executors with one text. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { openTestExecutor } from './executor.js';

/**
 * Describes each executor, opened on the device of this test run. Where there is none, its tests are skipped, or fail
 * with `REQUIRE_NATIVE=1`.
 *
 * @param tests get a function that gives the executor while they run
 */
export function describeExecutors(tests: (opened: () => Executor, kind: Executor['kind']) => void): void {
  describe.each(['native', 'webgpu'] as const)('the %s executor', (kind) => {
    let executor: Executor | undefined;
    beforeAll(async () => {
      executor = await openTestExecutor({ executor: kind }).catch((error: Error & { code?: string }) => {
        if (process.env.REQUIRE_NATIVE === '1' || error.code !== 'DEVICE_UNAVAILABLE') throw error;
        return undefined;
      });
    });
    beforeEach(({ skip }) => skip(executor === undefined, `the ${kind} executor is not available here`));
    afterAll(() => executor?.destroy());
    tests(() => executor!, kind);
  });
}
