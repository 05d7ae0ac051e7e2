import { expect, test } from 'vitest';
import type { DeviceBuffer, DeviceLimits } from './executor.js';
import type { Plan } from './plan.js';
import { checkFeed, checkPlan } from './plan-check.js';

const limits: DeviceLimits = {
  maxStorageBufferBindingSize: 1024,
  maxBufferSize: 4096,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

const plan: Plan = {
  label: 'p',
  kernels: [],
  buffers: [
    { name: 'weight', sizeBytes: 64, role: 'external' },
    { name: 'ids', sizeBytes: 32, role: 'feed' },
    { name: 'out', sizeBytes: 32, role: 'result' },
  ],
  commands: [],
  stepBuffer: -1,
};
const names = new Map(plan.buffers.map(({ name }, index) => [name, index]));
const buffer = (sizeBytes: number): DeviceBuffer => ({ label: 'b', sizeBytes, destroy: () => undefined });

test('a plan with its externals passes', () => {
  checkPlan(plan, new Map([['weight', buffer(64)]]), limits);
});

test('of a pooled buffer beyond the limit the tensor is named that is as large', () => {
  const pooled: Plan = {
    ...plan,
    buffers: [{ name: 'transient 0', sizeBytes: 2048, role: 'transient' }],
    transients: [
      { name: 'small', sizeBytes: 64, buffer: 0, first: 0, last: 1 },
      { name: 'd layer 3 gelu input', sizeBytes: 2048, buffer: 0, first: 2, last: 3 },
    ],
  };
  expect(() => checkPlan(pooled, new Map(), limits)).toThrow(
    /^plan 'p': tensor 'd layer 3 gelu input' has 2048 bytes but the device binds at most 1024; make the batch smaller/,
  );
});

test('a missing external, a wrong size and a binding beyond the limit are named', () => {
  expect(() => checkPlan(plan, new Map(), limits)).toThrow(/'weight' was not given/);
  expect(() => checkPlan(plan, new Map([['weight', buffer(60)]]), limits)).toThrow(
    /of 64 bytes but received 60/,
  );
  const small = { ...limits, maxStorageBufferBindingSize: 63 };
  expect(() => checkPlan(plan, new Map([['weight', buffer(64)]]), small)).toThrow(
    /'weight' has 64 bytes.*at most 63/,
  );
});

test('a view asks for the buffer that it is in, large enough', () => {
  const view = { ...plan.buffers[0]!, within: { name: 'slab', offsetBytes: 256 } };
  const views = { ...plan, buffers: [view] };
  checkPlan(views, new Map([['slab', buffer(320)]]), limits);
  expect(() => checkPlan(views, new Map([['weight', buffer(320)]]), limits)).toThrow(/'slab' was not given/);
  expect(() => checkPlan(views, new Map([['slab', buffer(316)]]), limits)).toThrow(
    /'weight' ends at byte 320 of 'slab', which has 316/,
  );
});

test('a feed may be shorter than its buffer, in words', () => {
  expect(checkFeed(plan, names, 'ids', new Uint32Array(3))).toEqual({ index: 1, bytes: new Uint8Array(12) });
  expect(() => checkFeed(plan, names, 'ids', new Uint32Array(9))).toThrow(/at most 32 bytes.*received 36/);
  expect(() => checkFeed(plan, names, 'ids', new Uint8Array(3))).toThrow(/multiple of 4/);
});

test('only feeds can be fed; the message lists them', () => {
  expect(() => checkFeed(plan, names, 'idz', new Uint32Array(1))).toThrow(/no feed 'idz' \(it has: ids\)/);
  expect(() => checkFeed(plan, names, 'out', new Uint32Array(1))).toThrow(/no feed 'out'/);
});
