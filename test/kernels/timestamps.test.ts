/** A profile has every dispatch of a plan, however many there are, on both executors. */
import { PlanBuilder } from '@synglot/gpu';
import { expect, test } from 'vitest';
import { describeExecutors } from '../support/each-executor.js';

const columns = 64;

describeExecutors((opened) => {
  // A set of queries holds 2048 dispatches: fewer, a whole one, and some of a third.
  test.for([3, 2048, 4100])('%i dispatches', async (dispatches, { skip }) => {
    const executor = opened();
    if (!executor.device.features.includes('timestamp-query')) return skip('the device has no timestamps');
    const builder = new PlanBuilder('profiled');
    const x = builder.feed('x', [columns], 'f32');
    const y = builder.result('y', [columns]);
    builder.clear(y);
    for (let index = 0; index < dispatches; index++) {
      builder.dispatch('add', {
        label: `dispatch ${index}`,
        bindings: { x, y },
        params: { rows: 1, rows_count: 0, columns },
        workgroups: [1],
      });
    }
    const compiled = await executor.compile(builder.build());
    const run = { feeds: { x: new Float32Array(columns).fill(1) }, reads: ['y'] };
    const plain = await compiled.run(run);
    expect(plain.timings).toBeUndefined();
    const { reads, timings = [] } = await compiled.run({ ...run, profile: true });
    compiled.destroy();

    const expected = new Float32Array(columns).fill(dispatches);
    for (const y of [plain.reads.y, reads.y]) expect(new Float32Array(y as ArrayBuffer)).toEqual(expected);
    expect(timings.map(({ label }) => label)).toEqual(
      Array.from({ length: dispatches }, (_, index) => `dispatch ${index}`),
    );
    // Each waits for the one before: timestamps of another set, or of none, would not be in order.
    let end = 0;
    for (const { label, beginNs, timeNs } of timings) {
      expect(beginNs, label).toBeGreaterThanOrEqual(end);
      expect(timeNs, label).toBeGreaterThanOrEqual(0);
      end = beginNs + timeNs;
    }
    expect(end).toBeGreaterThan(0);
  });
});
