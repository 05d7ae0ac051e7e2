/**
 * The device that a test file runs on: SYNGLOT_DEVICE and SYNGLOT_EXECUTOR choose, else the default.
 * SYNGLOT_CHECK_RACES=1 looks for data races in whatever runs (race-checks.ts); SYNGLOT_LOOSE_MATH=above or below
 * makes it compute as inaccurately as WGSL allows (loose-math.ts).
 */
import type { Executor } from '@synglot/gpu';
import { type OpenExecutorOptions, openExecutor } from '@synglot/gpu/node';
import { type Side, withLooseMath } from './loose-math.js';
import { withRaceChecks } from './race-checks.js';

/**
 * Opens the device of this test run. In the repository's tests that is the embedded SwiftShader driver
 * unless the environment says otherwise, so that a run means the same everywhere.
 */
export async function openTestExecutor(options: OpenExecutorOptions = {}): Promise<Executor> {
  const device = options.device ?? process.env.SYNGLOT_DEVICE ?? 'swiftshader';
  const executor = await openExecutor({ ...options, device });
  const { SYNGLOT_CHECK_RACES: races, SYNGLOT_LOOSE_MATH: side } = process.env;
  const computing = side ? withLooseMath(executor, side as Side) : executor;
  return races ? withRaceChecks(computing) : computing;
}
