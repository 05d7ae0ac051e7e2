/**
 * Matrix products in all layouts against float64, through the ops: which kernel, tile and workgroup
 * count serve a product is the ops' business. Operands are NaN beyond the live sizes. The portable
 * kernels run everywhere; those with subgroups where the device grants them.
 */
import type { DeviceBuffer, Executor, Tensor } from '@synglot/gpu';
import { catalogue, type ElementChoice } from '@synglot/kernels';
import {
  type Axis,
  type DeviceTraits,
  Graph,
  matmulNn,
  matmulNt,
  matmulTn,
  ParameterLayout,
  packStep,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, noHalf, packHalf, storageTolerance, stored, unpackHalf } from '../support/half.js';
import { bitsOf, expectClose, poison, poisonBits } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const layouts = ['nt', 'nt with bias', 'nn', 'nn accumulating', 'tn', 'tn accumulating'] as const;
type Layout = (typeof layouts)[number];

interface Size {
  readonly capacity: number;
  readonly live: number;
}
const full = (capacity: number): Size => ({ capacity, live: capacity });
const part = (live: number, capacity: number): Size => ({ capacity, live });

/** What is bound as quads has rows of a multiple of 4 elements; live sizes are free. */
const quads = ({ capacity, live }: Size): Size => ({ capacity: Math.ceil(capacity / 4) * 4, live });

/** Ones, primes, just over and under tiles of 4 to 64, live sizes below capacity on every axis. */
const problems: readonly { readonly m: Size; readonly n: Size; readonly k: Size }[] = [
  { m: full(1), n: full(1), k: full(1) },
  { m: full(1), n: full(4), k: full(3) },
  { m: full(5), n: full(1), k: full(7) },
  { m: full(8), n: full(8), k: full(8) },
  { m: part(13, 16), n: part(5, 7), k: full(4) },
  { m: part(31, 37), n: full(36), k: full(20) },
  { m: part(3, 7), n: part(5, 11), k: part(2, 13) },
  { m: full(33), n: full(68), k: part(29, 64) },
  { m: part(65, 67), n: part(127, 131), k: part(61, 71) },
  { m: full(12), n: full(129), k: part(257, 300) },
  { m: part(0, 5), n: full(12), k: full(8) },
  { m: full(4), n: full(12), k: part(0, 9) },
];

const dispatched = new Set<string>();

/** [rows, columns] with NaN beyond the live rows and columns. */
function operand(rows: Size, columns: Size, seed: number): Float32Array {
  const values = randomFloats(rows.capacity * columns.capacity, seed);
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const outside = Math.floor(i / columns.capacity) >= rows.live || i % columns.capacity >= columns.live;
    if (outside) bits[i] = poisonBits;
  }
  return values;
}

/** The problem with its capacities rounded up as the layout needs it. */
function fit(layout: Layout, { m, n, k }: (typeof problems)[number]) {
  return layout.startsWith('tn') ? { m: quads(m), n: quads(n), k } : { m, n: quads(n), k: quads(k) };
}

type Family = 'portable' | 'subgroups';

/** Traits that make the ops choose the kernels of a family; undefined where the device lacks them. */
function traits(family: Family): DeviceTraits | undefined {
  if (family === 'portable') return { type: 'unknown', subgroups: { minSize: 0, maxSize: 0 } };
  const { subgroups } = executor.device;
  return subgroups.minSize > 0 ? { type: 'cpu', subgroups } : undefined;
}

/** How the operands and the result are stored; sums are f32. */
const storages = [
  { inputs: 'f32', result: 'f32' },
  { inputs: 'f16', result: 'f16' },
  { inputs: 'f16', result: 'f32' },
] as const satisfies readonly { readonly inputs: ElementChoice; readonly result: ElementChoice }[];
type Storage = (typeof storages)[number];

async function product(
  device: DeviceTraits,
  layout: Layout,
  { m, n, k }: (typeof problems)[number],
  { inputs, result }: Storage,
) {
  const g = new Graph('product', new ParameterLayout([], 2 ** 27), false, device);
  const axes = {
    m: { capacity: m.capacity, slot: m.live < m.capacity ? 'queries' : 'all' },
    n: { capacity: n.capacity, slot: n.live < n.capacity ? 'candidates' : 'all' },
    k: { capacity: k.capacity, slot: k.live < k.capacity ? 'tokens' : 'all' },
  } as const satisfies Record<string, Axis>;
  const isTn = layout.startsWith('tn');
  const accumulate = layout.endsWith('accumulating');
  const a = stored(isTn ? operand(k, m, 1) : operand(m, k, 1), inputs);
  const b = stored(layout.startsWith('nt') ? operand(n, k, 2) : operand(k, n, 2), inputs);
  const bias = operand(full(1), n, 3);
  const size = m.capacity * n.capacity;
  const before = stored(accumulate ? randomFloats(size, 4) : poison(size), result);
  const buffers = new Map<string, DeviceBuffer>();
  const tensor = (name: string, values: Float32Array, type: ElementChoice): Tensor => {
    const data = type === 'f16' ? packHalf(values) : values;
    const buffer = executor.createBuffer(name, data.byteLength);
    executor.write(buffer, data);
    buffers.set(name, buffer);
    return g.plan.external(name, [values.length], type);
  };
  const [tensorA, tensorB] = [tensor('a', a, inputs), tensor('b', b, inputs)];
  const tensorC = tensor('c', before, result);
  const options = { ...axes, label: layout };
  if (layout === 'nt') matmulNt(g, tensorA, tensorB, tensorC, options);
  else if (layout === 'nt with bias') {
    matmulNt(g, tensorA, tensorB, tensorC, { ...options, bias: tensor('bias', bias, 'f32') });
  } else if (isTn) matmulTn(g, tensorA, tensorB, tensorC, { ...options, accumulate });
  else matmulNn(g, tensorA, tensorB, tensorC, { ...options, accumulate });
  const plan = g.plan.build();
  for (const kernel of plan.kernels) dispatched.add(kernel.label);
  const compiled = await executor.compile(plan, buffers);
  await compiled.run({
    feeds: { step: packStep({ counts: { queries: m.live, candidates: n.live, tokens: k.live } }) },
  });
  const bytes = await executor.read(buffers.get('c') as DeviceBuffer);
  const c = result === 'f16' ? unpackHalf(new Uint16Array(bytes), size) : new Float32Array(bytes);
  compiled.destroy();
  for (const buffer of buffers.values()) buffer.destroy();

  const expected = Float64Array.from({ length: m.live * n.live }, (_, index) => {
    const row = Math.floor(index / n.live);
    const column = index % n.live;
    let total = 0;
    if (layout === 'nt with bias') total = bias[column] as number;
    if (accumulate) total = before[row * n.capacity + column] as number;
    for (let i = 0; i < k.live; i++) {
      const left = isTn ? a[i * m.capacity + row] : a[row * k.capacity + i];
      const right = layout.startsWith('nt') ? b[column * k.capacity + i] : b[i * n.capacity + column];
      total += (left as number) * (right as number);
    }
    return total;
  });
  return { c, expected, before };
}

const combinations = (['portable', 'subgroups'] as const).flatMap((family) =>
  layouts.flatMap((layout) => storages.map((storage) => ({ family, layout, storage }))),
);

describe.each(combinations)('$layout, $family, $storage', ({ family, layout, storage }) => {
  test.for(problems)('m $m n $n k $k', async (problem, { skip }) => {
    const device = traits(family);
    if (!device) return skip('this device has no subgroups');
    if (!canStore(executor, storage.inputs)) return skip(noHalf);
    const { m, n, k } = fit(layout, problem);
    const { c, expected, before } = await product(device, layout, { m, n, k }, storage);
    const live = Float32Array.from(expected, (_, index) => {
      const row = Math.floor(index / n.live);
      return c[row * n.capacity + (index % n.live)] as number;
    });
    const sums = { absolute: 1e-6 * Math.sqrt(k.live + 1), relative: 2e-6 };
    expectClose(live, expected, storageTolerance(sums, storage.result), layout);
    const written = bitsOf(c);
    const original = bitsOf(before);
    for (let index = m.live * n.capacity; index < written.length; index++) {
      if (written[index] !== original[index]) {
        throw new Error(`${layout}: index ${index} beyond the live rows was written (${c[index]})`);
      }
    }
  });
});

test('the problems above have dispatched every matmul kernel that is for this device', () => {
  const known = Object.values(catalogue)
    .filter(({ enables }) => enables.every((name) => executor.device.features.includes(name)))
    .map(({ name }) => name)
    .filter((name) => name.startsWith('matmul_'));
  expect([...dispatched].sort()).toEqual(known.sort());
});
