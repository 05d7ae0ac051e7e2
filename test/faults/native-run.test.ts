/** The native core on real software devices: feeds, Step, copies, clears, order, read-back, timing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axpyPlan,
  count,
  dispatch,
  openNative,
  ramp,
  rawDevice,
  readY,
  softwareDevices,
} from './native-support.js';

for (const { id, skip, title } of await softwareDevices()) {
  describe.skipIf(skip)(`native executor on ${title}`, () => {
    let executor: Executor;
    beforeAll(async () => {
      executor = await openNative(id);
    });
    afterAll(() => executor.destroy());

    it('describes itself', () => {
      expect(executor.kind).toBe('native');
      expect(executor.device).toMatchObject({ id, type: 'cpu' });
      expect(executor.device.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
      expect(executor.device.features).toContain('subgroups');
    });

    it('feeds, dispatches in order, keeps state between runs and sees the Step', async () => {
      const plan = await executor.compile(axpyPlan([dispatch(2), dispatch(10)]));
      const step = Float32Array.of(0.5, 0, 0, 0);
      expect(await readY(plan, { x: ramp, step })).toEqual([...ramp].map((x) => 12 * x + 1));
      // Not awaited between: the core runs them in the order of the calls.
      const [second, third] = await Promise.all([
        readY(plan, { step: Float32Array.of(0) }),
        readY(plan, { x: new Float32Array(2) }),
      ]);
      expect(second).toEqual([...ramp].map((x) => 24 * x + 1));
      expect(third).toEqual([...ramp].map((x) => (x < 2 ? 24 : 36) * x + 1));
      plan.destroy();
    });

    it('runs a plan again and again, another between, not awaited or timed, and tells what it cost', async () => {
      const [plan, other] = [
        await executor.compile(axpyPlan([dispatch(2), dispatch(1)])),
        await executor.compile(axpyPlan([dispatch(7)])),
      ];
      const expected = (runs: number) => [...ramp].map((x) => 3 * runs * x);
      for (let runs = 1; runs <= 5; runs++) {
        expect(await readY(plan, { x: ramp })).toEqual(expected(runs));
        expect((await readY(other, { x: ramp }))[2]).toBe(14 * runs);
      }
      const later = await Promise.all([6, 7, 8].map(() => readY(plan)));
      expect(later).toEqual([6, 7, 8].map(expected));
      await plan.run({ profile: true });
      const { reads, host } = await plan.run({ reads: ['y'] });
      expect([...new Float32Array(reads.y as ArrayBuffer)]).toEqual(expected(10));
      for (const name of ['feedsNs', 'encodeNs', 'submitNs', 'aheadNs'] as const) {
        expect(host?.[name]).toBeGreaterThan(0);
        expect(host?.[name]).toBeLessThan(60e9);
      }
      plan.destroy();
      other.destroy();
    });

    it('copies and clears between dispatches', async () => {
      const commands = [
        dispatch(1),
        {
          kind: 'copy',
          source: 1,
          sourceOffsetBytes: 8,
          destination: 0,
          destinationOffsetBytes: 16,
          sizeBytes: 8,
        },
        { kind: 'clear', buffer: 1, offsetBytes: 0, sizeBytes: 4 * count },
        dispatch(1),
      ] as const;
      const plan = await executor.compile(axpyPlan(commands));
      const expected = [...ramp];
      expected.splice(4, 2, 2, 3);
      expect(await readY(plan, { x: ramp })).toEqual(expected);
    });

    it('binds external buffers and reads parts of results', async () => {
      const base = axpyPlan([dispatch(3)]);
      const plan = {
        ...base,
        buffers: base.buffers.map((entry) =>
          entry.name === 'x' ? { ...entry, role: 'external' as const } : entry,
        ),
      };
      const x = executor.createBuffer('x', 4 * count);
      expect([...new Uint8Array(await executor.read(x))].every((byte) => byte === 0)).toBe(true);
      executor.write(x, ramp);
      executor.write(x, Float32Array.of(100), 4);
      const compiled = await executor.compile(plan, new Map([['x', x]]));
      const { reads } = await compiled.run({ reads: [{ name: 'y', sizeBytes: 10 }, 'step'] });
      expect(reads.y?.byteLength).toBe(10);
      expect([...new Float32Array((reads.y as ArrayBuffer).slice(0, 8))]).toEqual([0, 300]);
      expect(reads.step?.byteLength).toBe(16);
      expect([...new Float32Array(await executor.read(x, 4, 8))]).toEqual([100, 2]);
    });

    it('writes more than it queues at once', async () => {
      const words = 40 * 2 ** 20;
      const large = executor.createBuffer('large', 4 * words);
      const data = new Uint32Array(words);
      for (let index = 0; index < words; index += 1024) data[index] = index;
      executor.write(large, data);
      const last = words - 1024;
      expect([...new Uint32Array(await executor.read(large, 4 * last, 8))]).toEqual([last, 0]);
      large.destroy();
    });

    it('times every dispatch, beyond one query set', async () => {
      const dispatches = 2050;
      const commands = Array.from({ length: dispatches }, (_, index) => dispatch(1, `dispatch ${index}`));
      const plan = await executor.compile(axpyPlan(commands));
      const { timings } = await plan.run({ feeds: { x: ramp }, reads: ['y'], profile: true });
      if (!executor.device.features.includes('timestamp-query')) {
        expect(timings).toBeUndefined();
        return;
      }
      expect(timings).toHaveLength(dispatches);
      expect(timings?.at(-1)).toMatchObject({ kernel: 'axpy', label: `dispatch ${dispatches - 1}` });
      expect(timings?.every(({ timeNs }) => timeNs >= 0 && timeNs < 60e9)).toBe(true);
      expect(timings?.some(({ timeNs }) => timeNs > 0)).toBe(true);
      expect((await plan.run()).timings).toBeUndefined();
    });

    it('keeps pipelines on disk for the next device', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'synglot-cache-'));
      const compileOnce = async () => {
        const other = await openNative(id, { cacheDir: folder });
        const plan = await other.compile(axpyPlan([dispatch(4)]));
        expect((await readY(plan, { x: ramp }))[5]).toBe(20);
        const counts = await rawDevice(other).cacheCounts();
        other.destroy();
        return counts;
      };
      const first = await compileOnce();
      const second = await compileOnce();
      expect(first).toMatchObject({ hits: 0 });
      expect(first.stores).toBeGreaterThan(0);
      expect(second.hits).toBe(first.stores);
      expect(second.misses).toBe(0);
      expect(readdirSync(join(folder, 'pipelines')).every((name) => name.endsWith('.bin'))).toBe(true);
      rmSync(folder, { recursive: true });
    });
  });
}
