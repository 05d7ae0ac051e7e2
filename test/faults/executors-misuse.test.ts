/** What both executors refuse they refuse with the same words; odd sizes that they take give the same bytes. */
import { createWebGpuExecutor, type Plan, type PlanCommand, type WebGpuDevice } from '@synglot/gpu';
import { expect, test } from 'vitest';
import { describeExecutors } from '../support/each-executor.js';
import { openTestExecutor } from '../support/executor.js';
import { axpyPlan, count, dispatch, ramp } from './native-support.js';

const copy: PlanCommand = {
  kind: 'copy',
  source: 1,
  sourceOffsetBytes: 0,
  destination: 0,
  destinationOffsetBytes: 0,
  sizeBytes: 4,
};

describeExecutors((opened, kind) => {
  test('reads nothing, and fractions of words', async () => {
    const executor = opened();
    const plan = await executor.compile(axpyPlan([dispatch(1)]));
    const sizes = [0, 1, 6, 4 * count];
    for (const sizeBytes of sizes) {
      const { reads } = await plan.run({ feeds: { x: ramp }, reads: [{ name: 'y', sizeBytes }] });
      expect(reads.y?.byteLength).toBe(sizeBytes);
    }
    const { reads } = await plan.run({
      reads: [
        { name: 'y', sizeBytes: 0 },
        { name: 'x', sizeBytes: 12 },
      ],
    });
    expect(reads.y?.byteLength).toBe(0);
    expect([...new Float32Array(reads.x as ArrayBuffer)]).toEqual([0, 1, 2]);
    const buffer = executor.createBuffer('b', 16);
    expect((await executor.read(buffer, 0, 0)).byteLength).toBe(0);
    plan.destroy();
  });

  test('a plan that is destroyed ends the runs that it was given', async () => {
    const executor = opened();
    const plan = await executor.compile(axpyPlan([dispatch(2)]));
    // Training frees plans of batches that are still on the device when there is no memory for the next one.
    const runs = [1, 2, 3].map(() => plan.run({ feeds: { x: ramp }, reads: ['y'] }));
    plan.destroy();
    const results = await Promise.all(runs);
    // Each adds to what the one before it left.
    expect(results.map(({ reads }) => new Float32Array(reads.y as ArrayBuffer)[3])).toEqual([6, 12, 18]);
  });

  test('refuses reads that a plan cannot give', async () => {
    const executor = opened();
    const plan = await executor.compile(axpyPlan([dispatch(1)]));
    const read = (sizeBytes: number) => plan.run({ reads: [{ name: 'y', sizeBytes }] });
    for (const size of [260, -4, 1.5, Number.NaN]) {
      await expect(read(size)).rejects.toMatchObject({
        code: 'PLAN_INVALID',
        message: `read of 'y': ${size} bytes asked for, but it has 256`,
      });
    }
    await expect(plan.run({ reads: ['z'] })).rejects.toMatchObject({
      code: 'PLAN_INVALID',
      message: "plan 'axpy plan' has no buffer 'z' to read (its results: y)",
    });
    plan.destroy();
    await expect(plan.run()).rejects.toMatchObject({
      code: 'DEVICE_VALIDATION',
      message: "run of plan 'axpy plan': the plan was destroyed",
    });
  });

  test("refuses a kernel whose access is not its code's, though the code was compiled before", async () => {
    const good = axpyPlan([dispatch(1)]);
    (await opened().compile(good)).destroy();
    const kernels = good.kernels.map((kernel) => ({
      ...kernel,
      access: kernel.access.map(() => 'read' as const),
    }));
    await expect(opened().compile({ ...good, kernels })).rejects.toMatchObject({
      code: 'DEVICE_VALIDATION',
      message: expect.stringMatching(/axpy/),
    });
  });

  test.each<[string, Partial<Plan>, string]>([
    [
      'a kernel that is not there',
      { commands: [{ ...dispatch(1), kernel: 7 } as PlanCommand] },
      'command 0 (axpy): no kernel 7',
    ],
    [
      'a buffer that is not there',
      { commands: [dispatch(1), { ...dispatch(1), buffers: [0, 9] } as PlanCommand] },
      'command 1 (axpy): no buffer 9',
    ],
    [
      'too few bindings',
      { commands: [{ ...dispatch(1), buffers: [0] } as PlanCommand] },
      "command 0 (axpy): kernel 'axpy' has 2 bindings but received 1 buffers",
    ],
    [
      'wrong params',
      { commands: [{ ...dispatch(1), params: new Uint8Array(4) } as PlanCommand] },
      "command 0 (axpy): kernel 'axpy' has 8 bytes of params but received 4",
    ],
    [
      'a buffer read and written at once',
      { commands: [{ ...dispatch(1), buffers: [1, 1] } as PlanCommand] },
      "command 0 (axpy): buffer 'y' is bound at 0 and 1 and one of them writes",
    ],
    [
      'too many workgroups',
      { commands: [{ ...dispatch(1), workgroups: [1, 70_000, 1] } as PlanCommand] },
      'command 0 (axpy): 70000 workgroups, but the device allows integers up to 65535 per dimension',
    ],
    [
      'fractions',
      { commands: [{ ...dispatch(1), workgroups: [1.5, 1, 1] } as PlanCommand] },
      'command 0 (axpy): 1.5 workgroups, but the device allows integers up to 65535 per dimension',
    ],
    [
      'a clear beyond the end',
      { commands: [{ kind: 'clear', buffer: 1, offsetBytes: 252, sizeBytes: 8 }] },
      "command 0 (clear): bytes 252 to 260 of buffer 'y', which has 256 (multiples of 4 expected)",
    ],
    [
      'a copy from the middle of a word',
      { commands: [{ ...copy, sourceOffsetBytes: 2 }] },
      "command 0 (copy): bytes 2 to 6 of buffer 'y', which has 256 (multiples of 4 expected)",
    ],
    [
      'a copy onto itself',
      { commands: [{ ...copy, destination: 1 }] },
      'command 0 (copy): source and destination are the same buffer',
    ],
    ['a step that is not there', { stepBuffer: 3 }, 'stepBuffer: no buffer 3'],
    [
      'no step that a kernel asks for',
      { stepBuffer: -1, commands: [dispatch(1)] },
      "command 0 (axpy): kernel 'axpy' uses Step but the plan has no step buffer",
    ],
    [
      'an empty buffer',
      { buffers: [{ name: 'none', sizeBytes: 0, role: 'result' }] },
      "buffer 'none': expected a positive multiple of 4 bytes but received 0",
    ],
    [
      'a view that begins where no device binds',
      { buffers: [{ name: 'v', sizeBytes: 4, role: 'external', within: { name: 'slab', offsetBytes: 4 } }] },
      "'v' begins at byte 4 of 'slab'; expected a multiple of 256",
    ],
  ])('refuses a plan with %s', async (_, wrong, message) => {
    const slab = opened().createBuffer('slab', 512);
    const plan = { ...axpyPlan([]), ...wrong };
    await expect(opened().compile(plan, new Map([['slab', slab]]))).rejects.toMatchObject({
      code: 'PLAN_INVALID',
      message: `plan 'axpy plan': ${message}`,
    });
    slab.destroy();
  });

  test('refuses ranges that do not lie in a buffer, and destroyed ones', async () => {
    const executor = opened();
    const buffer = executor.createBuffer('b', 16);
    const range = (from: number, to: number) => ({
      code: 'DEVICE_VALIDATION',
      message: `bytes ${from} to ${to} of buffer 'b', which has 16 (multiples of 4 expected)`,
    });
    expect(() => executor.write(buffer, new Float32Array(5))).toThrow(expect.objectContaining(range(0, 20)));
    expect(() => executor.write(buffer, Uint8Array.of(1, 2, 3))).toThrow(
      expect.objectContaining(range(0, 3)),
    );
    await expect(executor.read(buffer, 8, 16)).rejects.toMatchObject(range(8, 24));
    await expect(executor.read(buffer, 2, 4)).rejects.toMatchObject(range(2, 6));
    await expect(executor.read(buffer, 20, 0)).rejects.toMatchObject(range(20, 20));
    await expect(executor.read(buffer, -4, 8)).rejects.toMatchObject(range(-4, 4));
    expect(() => executor.write(buffer, ramp.subarray(0, 1), 0.5)).toThrow(
      expect.objectContaining(range(0.5, 4.5)),
    );
    buffer.destroy();
    buffer.destroy();
    const destroyed = { code: 'DEVICE_VALIDATION', message: "buffer 'b' was destroyed" };
    expect(() => executor.write(buffer, ramp)).toThrow(expect.objectContaining(destroyed));
    await expect(executor.read(buffer)).rejects.toMatchObject(destroyed);
  });

  test('feeds and writes memory that threads share, and views of any kind', async () => {
    const executor = opened();
    const plan = await executor.compile(axpyPlan([dispatch(1)]));
    const buffer = executor.createBuffer('b', 256);
    const shared = new Float32Array(new SharedArrayBuffer(272), 8, count).fill(3);
    const odd = new Uint8Array(257).subarray(1);
    odd.set(new Uint8Array(shared.buffer, 8, 256));
    for (const view of [shared, new DataView(shared.buffer, 8, 256), odd]) {
      await plan.run({ feeds: { x: ramp } });
      const { reads } = await plan.run({ feeds: { x: view }, reads: ['x'] });
      executor.write(buffer, ramp);
      executor.write(buffer, view);
      for (const held of [reads.x as ArrayBuffer, await executor.read(buffer)]) {
        expect([...new Float32Array(held)]).toEqual([...shared]);
      }
    }
    plan.destroy();
  });

  test('refuses what is no view, and views whose memory is gone', async () => {
    const executor = opened();
    const plan = await executor.compile(axpyPlan([dispatch(1)]));
    const buffer = executor.createBuffer('b', 256);
    const gone = new Float32Array(count);
    structuredClone(gone, { transfer: [gone.buffer] });
    for (const [given, reason] of [
      [[1, 2], 'expected a typed array or a DataView but received Array'],
      [null, 'expected a typed array or a DataView but received null'],
      [new ArrayBuffer(8), 'expected a typed array or a DataView but received ArrayBuffer'],
      [gone, 'its memory was transferred or resized away'],
    ] as const) {
      const view = given as ArrayBufferView;
      await expect(plan.run({ feeds: { x: view } })).rejects.toMatchObject({
        code: 'PLAN_INVALID',
        message: `feed 'x' of plan 'axpy plan': ${reason}`,
      });
      expect(() => executor.write(buffer, view)).toThrow(
        expect.objectContaining({ code: 'PLAN_INVALID', message: `write to buffer 'b': ${reason}` }),
      );
    }
    plan.destroy();
  });

  test('says that there was no memory for a buffer, and goes on', async ({ skip }) => {
    const executor = opened();
    const { id, limits } = executor.device;
    skip(id !== 'swiftshader', 'only SwiftShader is known to refuse a buffer of its largest size');
    const buffer = executor.createBuffer('large', limits.maxBufferSize);
    executor.write(buffer, ramp);
    const noMemory = {
      code: 'DEVICE_OUT_OF_MEMORY',
      message: expect.stringMatching(/^buffer 'large': .*Memory/),
    };
    await expect(executor.read(buffer, 0, 4)).rejects.toMatchObject(noMemory);
    const base = axpyPlan([]);
    const external = { name: 'large', sizeBytes: limits.maxBufferSize, role: 'external' as const };
    const plan = { ...base, buffers: [...base.buffers, external] };
    await expect(executor.compile(plan, new Map([['large', buffer]]))).rejects.toMatchObject(noMemory);
    const own = { name: 'own', sizeBytes: limits.maxBufferSize, role: 'transient' as const };
    const bound = { ...dispatch(1), buffers: [0, base.buffers.length] } as PlanCommand;
    await expect(
      executor.compile({ ...base, buffers: [...base.buffers, own], commands: [bound] }),
    ).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^compile of plan 'axpy plan': no memory for its \d+ MiB \(.*Memory.*\); make the batch smaller or its texts shorter$/,
      ),
    });
    buffer.destroy();
    const small = await executor.compile(axpyPlan([dispatch(1)]));
    const { reads } = await small.run({ feeds: { x: ramp }, reads: ['y'] });
    expect([...new Float32Array(reads.y as ArrayBuffer)]).toEqual([...ramp]);
    small.destroy();
  });

  test('refuses buffers of another device', async () => {
    const executor = opened();
    const other = await openTestExecutor({ executor: kind });
    const buffer = other.createBuffer('b', 256);
    const foreign = { code: 'DEVICE_VALIDATION', message: "buffer 'b' belongs to another executor" };
    expect(() => executor.write(buffer, ramp)).toThrow(expect.objectContaining(foreign));
    await expect(executor.read(buffer)).rejects.toMatchObject(foreign);
    other.destroy();
  });
});

test('an executor is refused for what is no device', () => {
  class GPUAdapter {}
  for (const [given, received] of [
    [null, 'object'],
    [undefined, 'undefined'],
    [new GPUAdapter(), 'GPUAdapter'],
  ] as const) {
    expect(() => createWebGpuExecutor(given as unknown as WebGpuDevice)).toThrow(
      expect.objectContaining({
        code: 'INPUT_DEVICE',
        message: expect.stringMatching(
          new RegExp(`^expected a GPUDevice, .*requestDevice.* received ${received}$`),
        ),
      }),
    );
  }
});
