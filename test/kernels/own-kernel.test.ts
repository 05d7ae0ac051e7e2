/** Kernels that are not in the catalogue, in a plan beside one that is: on both executors. */
import { debugExecutor, PlanBuilder } from '@synglot/gpu';
import type { KernelDefinition } from '@synglot/kernels';
import { expect, test } from 'vitest';
import { describeExecutors } from '../support/each-executor.js';

/** y = what `value` makes of x, for the first `count` elements. */
const own = (value: string): KernelDefinition => ({
  name: 'own',
  includes: [],
  enables: [],
  usesStep: false,
  constants: [{ name: 'SIZE', type: 'u32', value: 64 }],
  types: [],
  params: [{ name: 'count', type: 'u32' }],
  bindings: [
    { name: 'x', access: 'read', type: 'array<f32>' },
    { name: 'y', access: 'read_write', type: 'array<f32>' },
  ],
  source: `
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i < params.count) {
    y[i] = ${value};
  }
}`,
});

describeExecutors((opened) => {
  test('two of one name and one of the catalogue: (x³ - x) of the first 61 of 64', async () => {
    const executor = opened();
    const [size, count] = [64, 61];
    const builder = new PlanBuilder('own kernels');
    const x = builder.feed('x', [size], 'f32');
    const [cubes, sums] = [builder.transient('cubes', [size]), builder.result('sums', [size])];
    const dispatch = (value: string, y: typeof x) =>
      builder.dispatch(own(value), {
        label: value,
        bindings: { x, y },
        params: { count },
        constants: { SIZE: 32 },
        workgroups: [2],
      });
    dispatch('x[i] * x[i] * x[i]', cubes);
    dispatch('-x[i]', sums);
    const params = { rows: 1, rows_count: 0, columns: size };
    builder.dispatch('add', { label: 'sums', bindings: { x: cubes, y: sums }, params, workgroups: [1] });
    const plan = builder.build();
    expect(plan.kernels.map(({ label }) => label)).toEqual(['own', 'own', 'add']);

    const values = Float32Array.from({ length: size }, (_, i) => i - 30);
    const compiled = await executor.compile(plan);
    const { reads } = await compiled.run({ feeds: { x: values }, reads: ['sums'] });
    compiled.destroy();
    const expected = values.map((value, i) => (i < count ? value ** 3 - value : 0));
    expect([...new Float32Array(reads.sums as ArrayBuffer).slice(0, count)]).toEqual([
      ...expected.slice(0, count),
    ]);
  });

  test('dispatches with more than 256 bytes of params have their own', async () => {
    const names = Array.from({ length: 70 }, (_, i) => `p${i}`);
    const last: KernelDefinition = {
      ...own('x[i] * params.p69'),
      params: names.map((name) => ({ name, type: 'f32' })),
    };
    const source = last.source
      .replace('count: u32', names.map((name) => `${name}: f32`).join(', '))
      .replace('i < params.count', 'i < 4');
    const builder = new PlanBuilder('many params');
    const x = builder.feed('x', [4], 'f32');
    for (const scale of [1, 2, 3]) {
      builder.dispatch(
        { ...last, source },
        {
          label: `times ${scale}`,
          bindings: { x, y: builder.result(`y${scale}`, [4]) },
          params: Object.fromEntries(names.map((name) => [name, name === 'p69' ? scale : -scale])),
          workgroups: [1],
        },
      );
    }
    const compiled = await opened().compile(builder.build());
    const { reads } = await compiled.run({
      feeds: { x: Float32Array.of(1, 2, 3, 4) },
      reads: ['y1', 'y2', 'y3'],
    });
    compiled.destroy();
    const held = Object.values(reads).map((bytes) => [...new Float32Array(bytes)]);
    expect(held).toEqual([1, 2, 3].map((scale) => [scale, 2 * scale, 3 * scale, 4 * scale]));
  });

  test('a text that does not compile is shown by the debug executor', async () => {
    const builder = new PlanBuilder('own kernels');
    const bindings = { x: builder.feed('x', [4], 'f32'), y: builder.result('y', [4]) };
    builder.dispatch(own('z[i]'), { label: 'cube', bindings, params: { count: 4 }, workgroups: [1] });
    const printed: string[] = [];
    const debugged = debugExecutor(opened(), 3, (line) => printed.push(line));
    await expect(debugged.compile(builder.build())).rejects.toThrow(/unresolved value 'z'/);
    expect(printed[0]).toMatch(/^plan 'own kernels': 1 dispatches/);
    expect(printed.at(-1)).toContain('y[i] = z[i];');
  });

  test.each<[string, Partial<KernelDefinition>, string]>([
    [
      'lists its bindings in another order',
      { bindings: [...own('').bindings].reverse() },
      "binding 0 is 'x' (read) in its text, 'y' (read_write) in its definition",
    ],
    [
      'reads what its text writes',
      { bindings: own('').bindings.map((binding) => ({ ...binding, access: 'read' })) },
      "binding 1 is 'y' (read_write) in its text, 'y' (read) in its definition",
    ],
    [
      'lacks a binding',
      { bindings: own('').bindings.slice(0, 1) },
      "binding 1 is 'y' (read_write) in its text, missing in its definition",
    ],
    [
      'lacks a parameter',
      {
        source: own('x[i]').source.replace('{ count: u32 }', '{\n  offset: u32, // of x\n  count : u32,\n}'),
      },
      "'params' is { offset: u32, count: u32 } in its text, { count: u32 } in its definition",
    ],
    [
      'has a parameter of another type',
      { params: [{ name: 'count', type: 'f32' }] },
      "'params' is { count: u32 } in its text, { count: f32 } in its definition",
    ],
  ])('a definition that %s is refused', (_, wrong, message) => {
    const builder = new PlanBuilder('own kernels');
    const bindings = { x: builder.feed('x', [4], 'f32'), y: builder.result('y', [4]) };
    const options = { label: 'cube', bindings, params: { count: 4 }, workgroups: [1] as const };
    expect(() => builder.dispatch({ ...own('x[i]'), ...wrong }, options)).toThrow(
      expect.objectContaining({
        code: 'PLAN_INVALID',
        message: `dispatch 'cube' of kernel 'own': ${message}`,
      }),
    );
  });

  test('what it is not given is named', () => {
    const builder = new PlanBuilder('own kernels');
    const x = builder.feed('x', [4], 'f32');
    const options = { label: 'cube', params: { count: 4 }, workgroups: [1] as const };
    expect(() => builder.dispatch(own('x[i]'), { ...options, bindings: { x } })).toThrow(
      /binding 'y' is missing/,
    );
    const bindings = { x, y: builder.result('y', [4]) };
    expect(() => builder.dispatch(own('x[i]'), { ...options, bindings, constants: { SIZES: 1 } })).toThrow(
      /'own' has no constant 'SIZES' \(it has: SIZE\)/,
    );
  });
});
