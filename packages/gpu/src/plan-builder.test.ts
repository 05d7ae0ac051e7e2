import { describe, expect, test } from 'vitest';
import { GpuError } from './errors.js';
import { type DispatchOptions, PlanBuilder, stepFeedName, stepFeedSizeBytes } from './plan-builder.js';
import type { Tensor } from './tensor.js';

const addParams = { rows: 2, rows_count: 0, columns: 4 };

function add(plan: PlanBuilder, x: Tensor, y: Tensor, more: Partial<DispatchOptions<'add'>> = {}): void {
  plan.dispatch('add', {
    label: `${x.name} into ${y.name}`,
    bindings: { x, y },
    params: addParams,
    workgroups: [1],
    ...more,
  });
}

/** The message of the PLAN_INVALID error that `work` throws. */
function invalid(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(GpuError);
    expect((error as GpuError).code).toBe('PLAN_INVALID');
    return (error as GpuError).message;
  }
  throw new Error('nothing was thrown');
}

describe('errors', () => {
  test('a missing binding is named', () => {
    const plan = new PlanBuilder('p');
    const bindings = { x: plan.external('x', [8]) } as unknown as Record<'x' | 'y', Tensor>;
    const message = invalid(() =>
      plan.dispatch('add', { label: 'sum', bindings, params: addParams, workgroups: [1] }),
    );
    expect(message).toMatch(/'sum' of kernel 'add'.*'y' is missing/);
  });

  test('a transient that is read before it is written', () => {
    const plan = new PlanBuilder('p');
    const [x, y] = [plan.transient('x', [8]), plan.external('y', [8])];
    expect(invalid(() => add(plan, x, y))).toMatch(/'x' is read before anything wrote it/);
    const z = plan.transient('z', [8]);
    expect(invalid(() => plan.copy(z, y))).toMatch(/'z' is read before/);
  });

  test('one tensor as input and output', () => {
    const plan = new PlanBuilder('p');
    const x = plan.external('x', [8]);
    expect(invalid(() => add(plan, x, x))).toMatch(/'x' is bound both as input and output/);
  });

  test('two tensors of one name, unless transient', () => {
    const plan = new PlanBuilder('p');
    plan.external('x', [8]);
    expect(invalid(() => plan.feed('x', [8]))).toMatch(/plan 'p' has two tensors 'x'/);
    expect(invalid(() => plan.result('x', [8]))).toMatch(/two tensors 'x'/);
    expect(plan.transient('t', [8]).id).not.toBe(plan.transient('t', [8]).id);
  });

  test('a tensor of another plan', () => {
    const plan = new PlanBuilder('p');
    const other = new PlanBuilder('q').external('x', [8]);
    const y = plan.external('y', [8]);
    expect(invalid(() => add(plan, other, y))).toMatch(/'x' is of another plan/);
  });

  test.each([[[0]], [[65_536]], [[1, 1.5]], [[1, 1, -1]]])('workgroups %j', (workgroups) => {
    const plan = new PlanBuilder('p');
    const [x, y] = [plan.external('x', [8]), plan.external('y', [8])];
    const more = { workgroups: workgroups as unknown as [number] };
    expect(invalid(() => add(plan, x, y, more))).toMatch(/expected 1 to 65535 workgroups/);
  });

  test.each([[[0]], [[2, -1]], [[1.5]]])('shape %j', (shape) => {
    expect(invalid(() => new PlanBuilder('p').external('x', shape))).toMatch(/expected positive sizes/);
  });

  test('a copy between different sizes', () => {
    const plan = new PlanBuilder('p');
    const [x, y] = [plan.external('x', [8]), plan.external('y', [9])];
    expect(invalid(() => plan.copy(x, y))).toMatch(/32 bytes into 36/);
  });

  test('a tensor of another element type than the kernel was chosen for', () => {
    const plan = new PlanBuilder('p');
    const [x, y] = [plan.external('x', [8], 'f16'), plan.external('y', [8], 'f16')];
    expect(invalid(() => add(plan, x, y))).toMatch(/binding 'x' holds f32 but tensor 'x' is f16/);
    add(plan, x, y, { constants: { Element: 'f16' } });
    const z = plan.external('z', [8]);
    const constants = { Element: 'f16' } as const;
    expect(invalid(() => add(plan, z, y, { constants }))).toMatch(/holds f16 but tensor 'z' is f32/);
  });

  test('a view that no device can bind, and a buffer that one view reads while another writes', () => {
    const plan = new PlanBuilder('p');
    const view = (name: string, offsetBytes: number) =>
      plan.external(name, [8], 'f32', { name: 'slab', offsetBytes });
    expect(invalid(() => view('x', 128))).toMatch(/byte 128 of 'slab'; expected a multiple of 256/);
    const [y, z] = [view('y', 256), view('z', 512)];
    expect(invalid(() => add(plan, y, z))).toMatch(/'y' is read in 'slab', which the dispatch writes/);
  });

  test('a parameter that is no number', () => {
    const plan = new PlanBuilder('p');
    const [x, y] = [plan.external('x', [8]), plan.external('y', [8])];
    const params = { ...addParams, columns: Number.NaN };
    expect(() => add(plan, x, y, { params })).toThrow(/params\.columns/);
  });
});

describe('build', () => {
  test('roles, names and sizes; the step feed appears with the first kernel that needs it', () => {
    const builder = new PlanBuilder('p');
    const [x, y] = [builder.feed('x', [2, 4], 'f32'), builder.external('y', [2, 4])];
    add(builder, x, y);
    builder.copy(y, builder.result('out', [8]));
    const plan = builder.build();
    expect(plan.buffers).toEqual([
      { name: 'x', sizeBytes: 32, role: 'feed' },
      { name: 'y', sizeBytes: 32, role: 'external' },
      { name: stepFeedName, sizeBytes: stepFeedSizeBytes, role: 'feed' },
      { name: 'out', sizeBytes: 32, role: 'result' },
    ]);
    expect(plan.stepBuffer).toBe(2);
    expect(plan.commands.map(({ kind }) => kind)).toEqual(['dispatch', 'copy']);
    expect(plan.commands[0]).toMatchObject({ buffers: [0, 1], workgroups: [1, 1, 1], label: 'x into y' });
  });

  test('half-precision tensors take two bytes an element, rounded up to four', () => {
    const builder = new PlanBuilder('p');
    const sizes = [builder.external('x', [3, 4], 'f16'), builder.external('y', [3], 'f16')];
    expect(sizes.map(({ sizeBytes }) => sizeBytes)).toEqual([24, 8]);
  });

  test('without such a kernel there is no step feed', () => {
    const builder = new PlanBuilder('p');
    builder.clear(builder.external('x', [8]));
    expect(builder.build().stepBuffer).toBe(-1);
  });

  test('equal code is one kernel, another constant is another', () => {
    const builder = new PlanBuilder('p');
    const [x, y] = [builder.external('x', [8]), builder.external('y', [8])];
    add(builder, x, y);
    add(builder, x, y, { params: { ...addParams, rows: 1 } });
    add(builder, x, y, { constants: { WORKGROUP_SIZE: 32 } });
    add(builder, x, y, { constants: { Element: 'f32', WORKGROUP_SIZE: 32 } });
    add(builder, x, y, { constants: { WORKGROUP_SIZE: 32, Element: 'f32' } });
    add(builder, x, y, { constants: {} });
    const plan = builder.build();
    expect(plan.kernels.map(({ label }) => label)).toEqual(['add', 'add']);
    const kernels = plan.commands.map((command) => command.kind === 'dispatch' && command.kernel);
    expect(kernels).toEqual([0, 0, 1, 1, 1, 0]);
  });

  test('transients whose lives do not meet share a buffer; unused ones need none', () => {
    const builder = new PlanBuilder('p');
    const x = builder.external('x', [8]);
    const chain = ['a', 'b', 'c', 'd'].map((name) => builder.transient(name, [8]));
    builder.transient('unused', [1024]);
    let source = x;
    for (const tensor of chain) {
      builder.copy(source, tensor);
      source = tensor;
    }
    builder.copy(source, builder.result('out', [8]));
    const plan = builder.build();
    const transients = plan.buffers.filter(({ role }) => role === 'transient');
    expect(transients.map(({ sizeBytes }) => sizeBytes)).toEqual([32, 32]);
    for (const command of plan.commands) {
      if (command.kind === 'copy') expect(command.source).not.toBe(command.destination);
    }
  });
});

test('a kernel that does not exist is told with those that are called alike', () => {
  const plan = new PlanBuilder('mine');
  const dispatch = (kernel: string) => () =>
    plan.dispatch(kernel as 'scale', { bindings: {}, params: {}, workgroups: [1], label: 'x' } as never);
  expect(dispatch('gelu_forwards')).toThrow(/plan 'mine': there is no kernel 'gelu_forwards'; alike: gelu_/);
  expect(dispatch('scal')).toThrow(/alike: scale/);
  expect(dispatch('conv2d')).toThrow(/kernels\/wgsl/);
});
