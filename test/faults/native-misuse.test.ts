/** Misuse and loss of a device: every mistake rejects with its code, and nothing crashes or hangs. */
import type { Executor, PlanCommand } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axpy,
  axpyPlan,
  busyPlan,
  dispatch,
  openNative,
  ramp,
  rawDevice,
  readY,
  softwareDevices,
} from './native-support.js';

const failure = (code: string, message: RegExp) => ({
  name: 'GpuError',
  code,
  message: expect.stringMatching(message),
});

for (const { id, skip, title } of await softwareDevices()) {
  describe.skipIf(skip)(`misuse of the native executor on ${title}`, () => {
    let executor: Executor;
    beforeAll(async () => {
      executor = await openNative(id);
    });
    afterAll(() => executor.destroy());

    it("rejects invalid WGSL with Dawn's message and the kernel's name", async () => {
      const plan = axpyPlan([dispatch(1)], axpy.replace('y[id.x] =', 'y[id.x] = nonsense +'));
      await expect(executor.compile(plan)).rejects.toMatchObject(
        failure('DEVICE_VALIDATION', /kernel 'axpy'.*nonsense/s),
      );
      // The same executor goes on working.
      const good = await executor.compile(axpyPlan([dispatch(1)]));
      expect((await readY(good, { x: ramp }))[3]).toBe(3);
    });

    it('rejects a kernel that does not fit its declared bindings', async () => {
      const plan = axpyPlan(
        [dispatch(1)],
        axpy.replace('var<storage, read> x', 'var<storage, read_write> x'),
      );
      await expect(executor.compile(plan)).rejects.toMatchObject(failure('DEVICE_VALIDATION', /axpy/));
    });

    it('refuses wrong feeds and reads', async () => {
      const plan = await executor.compile(axpyPlan([dispatch(1)]));
      await expect(plan.run({ feeds: { x: new Float32Array(65) } })).rejects.toMatchObject(
        failure('PLAN_INVALID', /'x'.*256.*260/),
      );
      await expect(plan.run({ feeds: { z: ramp } })).rejects.toMatchObject(
        failure('PLAN_INVALID', /no feed 'z'/),
      );
      await expect(plan.run({ reads: ['z'] })).rejects.toMatchObject(
        failure('PLAN_INVALID', /no buffer 'z'/),
      );
      await expect(plan.run({ reads: [{ name: 'y', sizeBytes: 999 }] })).rejects.toMatchObject(
        failure('PLAN_INVALID', /999/),
      );
    });

    it('refuses indices that point nowhere, though nothing checked them before', async () => {
      const raw = rawDevice(executor);
      for (const wrong of [
        axpyPlan([{ ...dispatch(1), kernel: 1 } as PlanCommand]),
        axpyPlan([{ ...dispatch(1), buffers: [0, 3] } as PlanCommand]),
        axpyPlan([{ ...dispatch(1), buffers: [0] } as PlanCommand]),
        axpyPlan([{ kind: 'clear', buffer: 3, offsetBytes: 0, sizeBytes: 4 }]),
        { ...axpyPlan([dispatch(1)]), stepBuffer: -1 },
        { ...axpyPlan([]), stepBuffer: 3 },
      ]) {
        await expect(raw.compile(wrong, [], 1)).rejects.toMatchObject({
          code: 'PLAN_INVALID',
          message: "plan 'axpy plan': a command names what is not there",
        });
      }
    });

    it('rejects every use of a destroyed buffer', async () => {
      const base = axpyPlan([dispatch(1)]);
      const plan = {
        ...base,
        buffers: base.buffers.map((entry) =>
          entry.name === 'x' ? { ...entry, role: 'external' as const } : entry,
        ),
      };
      const x = executor.createBuffer('x', 256);
      const compiled = await executor.compile(plan, new Map([['x', x]]));
      // From the second run on the commands of the next one are recorded ahead, with the buffer in them.
      for (let runs = 0; runs < 3; runs++) await compiled.run();
      x.destroy();
      x.destroy();
      expect(() => executor.write(x, ramp)).toThrow(
        expect.objectContaining(failure('DEVICE_VALIDATION', /'x' was destroyed/)),
      );
      await expect(executor.read(x)).rejects.toMatchObject(failure('DEVICE_VALIDATION', /'x' was destroyed/));
      for (let runs = 0; runs < 2; runs++) {
        await expect(compiled.run()).rejects.toMatchObject(failure('DEVICE_VALIDATION', /x.*destroyed/));
      }
      await expect(executor.compile(plan, new Map([['x', x]]))).rejects.toMatchObject(
        failure('DEVICE_VALIDATION', /destroyed/),
      );
    });

    it('rejects a run of a destroyed plan', async () => {
      const plan = await executor.compile(axpyPlan([dispatch(1)]));
      const running = readY(plan, { x: ramp });
      plan.destroy();
      expect((await running)[2]).toBe(2);
      await expect(plan.run()).rejects.toMatchObject(failure('DEVICE_VALIDATION', /plan was destroyed/));
    });

    it('refuses sizes, ranges and foreign buffers', async () => {
      expect(() => executor.createBuffer('odd', 6)).toThrow(/multiple of 4/);
      expect(() => executor.createBuffer('huge', 2 ** 50)).toThrow(
        expect.objectContaining({ code: 'DEVICE_OUT_OF_MEMORY' }),
      );
      const buffer = executor.createBuffer('small', 16);
      expect(() => executor.write(buffer, ramp)).toThrow(
        expect.objectContaining(failure('DEVICE_VALIDATION', /'small'/)),
      );
      expect(() => executor.write(buffer, Uint8Array.of(1, 2, 3))).toThrow(/multiples of 4/);
      await expect(executor.read(buffer, 8, 16)).rejects.toMatchObject(
        failure('DEVICE_VALIDATION', /8 to 24/),
      );
      const other = await openNative(id);
      expect(() => other.write(buffer, Float32Array.of(1))).toThrow(/another executor/);
      other.destroy();
    });

    it('takes a feed as it is when its index is known, though a getter shrank it', async () => {
      const raw = await rawDevice(executor).compile(axpyPlan([]), [], 1);
      // Of ES2024.
      const Resizable = ArrayBuffer as unknown as new (
        bytes: number,
        options: object,
      ) => ArrayBuffer & { resize(bytes: number): void };
      const buffer = new Resizable(256, { maxByteLength: 1 << 20 });
      const indices = Object.defineProperty([0], 0, {
        get() {
          buffer.resize(0);
          return 0;
        },
      });
      const { reads } = await raw.run(indices, [new Float32Array(buffer, 0, 64).fill(7)], [0], [4], false);
      expect([...new Float32Array(reads[0] as ArrayBuffer)]).toEqual([0]);
    });

    it('checks plans against a lowered binding limit', async () => {
      const low = await openNative(id, { maxStorageBufferBindingSize: 128 });
      expect(low.device.limits.maxStorageBufferBindingSize).toBe(128);
      await expect(low.compile(axpyPlan([dispatch(1)]))).rejects.toMatchObject(
        failure('PLAN_INVALID', /at most 128/),
      );
      low.destroy();
    });

    it('rejects what is pending, and all that follows, when the device is lost', async () => {
      const victim = await openNative(id);
      const plan = await victim.compile(busyPlan());
      const pending = [plan.run({ reads: ['y'] }), plan.run(), plan.run({ reads: ['y'] })];
      rawDevice(victim).forceLoss('pulled out');
      const outcomes = await Promise.allSettled(pending);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: failure('DEVICE_LOST', /pulled out/) });
      }
      await expect(victim.compile(busyPlan(1))).rejects.toMatchObject({ code: 'DEVICE_LOST' });
      await expect(victim.read(victim.createBuffer('late', 4))).rejects.toMatchObject({
        code: 'DEVICE_LOST',
      });
      victim.destroy();
    });

    it('rejects what is pending when the executor is destroyed', async () => {
      const victim = await openNative(id);
      const plan = await victim.compile(busyPlan());
      const pending = [plan.run({ reads: ['y'] }), plan.run()];
      victim.destroy();
      victim.destroy();
      for (const outcome of await Promise.allSettled(pending)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'EXECUTOR_DESTROYED' } });
      }
      await expect(plan.run()).rejects.toMatchObject({ code: 'EXECUTOR_DESTROYED' });
      expect(() => victim.createBuffer('late', 4)).toThrow(
        expect.objectContaining({ code: 'EXECUTOR_DESTROYED' }),
      );
    });

    it('gives up on a run that takes longer than it may', async () => {
      const impatient = await openNative(id, { timeoutMs: 1 });
      const plan = await impatient.compile(busyPlan());
      await expect(plan.run({ reads: ['y'] })).rejects.toMatchObject(
        failure('DEVICE_TIMEOUT', /busy plan.*1 ms/),
      );
      impatient.destroy();
    });
  });
}
