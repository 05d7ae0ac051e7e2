/**
 * Runs one catalogue kernel on a device, outputs poisoned, and compares with float64 references.
 *
 * Not a way to run ops or plans: those have their own tests. Nothing here knows what a kernel does.
 */
import { type DeviceBuffer, type Executor, PlanBuilder, type Tensor } from '@synglot/gpu';
import {
  bindingScalar,
  catalogue,
  type KernelBindingName,
  type KernelConstants,
  type KernelName,
  type KernelParams,
} from '@synglot/kernels';
import { packStep, type StepValues } from '@synglot/nn';
import { halfPoison, packHalf, unpackHalf } from './half.js';

/** Bits of the quiet NaN that outputs hold before a run; no kernel computes this payload. */
export const poisonBits = 0x7fc0_dead;

/** `count` elements of poison. */
export function poison(count: number): Float32Array {
  return new Float32Array(new Uint32Array(count).fill(poisonBits).buffer);
}

/** A copy of `values` in which everything from `from` on is poison: data that must not be read. */
export function poisonFrom(values: Float32Array, from: number): Float32Array {
  const bits = new Uint32Array(values.slice().buffer);
  bits.fill(poisonBits, from);
  return new Float32Array(bits.buffer);
}

export type KernelData = Float32Array | Uint32Array;

export interface KernelRun<Name extends KernelName> {
  /**
   * Data of every `read` binding. A `read_write` binding takes either initial values (kernels that
   * accumulate or update) or a number of elements, which are poisoned.
   */
  readonly bindings: Readonly<Record<KernelBindingName<Name>, KernelData | number>>;
  readonly params: KernelParams<Name>;
  readonly constants?: KernelConstants<Name>;
  readonly workgroups: readonly [number, number?, number?];
  /** The `Step` uniform; by default all counts are 0, which a kernel sees only where its params name a slot. */
  readonly step?: StepValues;
}

/**
 * Runs one dispatch and returns what every `read_write` binding holds afterwards; what a kernel stores
 * as f16 is given and returned as f32.
 */
export async function runKernel<Name extends KernelName>(
  executor: Executor,
  kernel: Name,
  run: KernelRun<Name>,
): Promise<Record<string, Float32Array>> {
  const plan = new PlanBuilder(`test of ${kernel}`);
  const tensors: Record<string, Tensor> = {};
  const buffers = new Map<string, DeviceBuffer>();
  const outputs: { name: string; count: number; half: boolean }[] = [];
  for (const binding of catalogue[kernel].bindings) {
    const { name, access } = binding;
    const given = (run.bindings as Readonly<Record<string, KernelData | number>>)[name];
    if (given === undefined) throw new TypeError(`no data for binding '${name}' of kernel '${kernel}'`);
    if (typeof given === 'number' && access === 'read') {
      throw new TypeError(`binding '${name}' of kernel '${kernel}' is an input and needs data`);
    }
    const half = bindingScalar(catalogue[kernel], binding, run.constants ?? {}) === 'f16';
    const data = bindingData(given, half);
    const count = typeof given === 'number' ? given : given.length;
    const type = half ? 'f16' : given instanceof Uint32Array ? 'u32' : 'f32';
    tensors[name] = plan.external(name, [count], type);
    const buffer = executor.createBuffer(name, data.byteLength);
    executor.write(buffer, data);
    buffers.set(name, buffer);
    if (access === 'read_write') outputs.push({ name, count, half });
  }
  plan.dispatch<Name>(kernel, {
    label: `test of ${kernel}`,
    bindings: tensors as Readonly<Record<KernelBindingName<Name>, Tensor>>,
    params: run.params,
    workgroups: run.workgroups,
    ...(run.constants ? { constants: run.constants } : {}),
  });
  const compiled = await executor.compile(plan.build(), buffers);
  const feeds = catalogue[kernel].usesStep ? { step: packStep(run.step ?? { counts: {} }) } : {};
  await compiled.run({ feeds });
  const results: Record<string, Float32Array> = {};
  for (const { name, count, half } of outputs) {
    const bytes = await executor.read(buffers.get(name) as DeviceBuffer);
    results[name] = half ? unpackHalf(new Uint16Array(bytes), count) : new Float32Array(bytes);
  }
  compiled.destroy();
  for (const buffer of buffers.values()) buffer.destroy();
  return results;
}

/** What a binding's buffer holds before the run; floats are given as f32 whatever the kernel stores. */
function bindingData(given: KernelData | number, half: boolean): KernelData | Uint16Array {
  if (typeof given === 'number') return half ? halfPoison(given) : poison(given);
  return half && given instanceof Float32Array ? packHalf(given) : given;
}

export interface Tolerance {
  readonly absolute: number;
  /** Of the reference's magnitude. */
  readonly relative: number;
}

/** What a handful of f32 roundings cost. */
export const rounding: Tolerance = { absolute: 1e-6, relative: 2e-6 };

/**
 * Compares the first `reference.length` elements: |actual - reference| ≤ absolute + relative · |reference|.
 * Throws with the worst index and both values.
 */
export function expectClose(
  actual: Float32Array | undefined,
  reference: ArrayLike<number>,
  tolerance: Tolerance,
  what: string,
): void {
  if (!actual) throw new Error(`${what}: there is no such output`);
  if (actual.length < reference.length) {
    throw new Error(`${what}: expected ${reference.length} elements but received ${actual.length}`);
  }
  let worst = -1;
  let worstExcess = 1;
  let failures = 0;
  for (let index = 0; index < reference.length; index++) {
    const expected = reference[index] as number;
    const error = Math.abs((actual[index] as number) - expected);
    const allowed = tolerance.absolute + tolerance.relative * Math.abs(expected);
    // NaN on either side must fail, hence not `error > allowed`.
    if (error <= allowed) continue;
    failures += 1;
    const excess = error / allowed;
    if (worst < 0 || Number.isNaN(excess) || excess > worstExcess) {
      worst = index;
      worstExcess = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess;
    }
  }
  if (worst < 0) return;
  throw new Error(
    `${what}: ${failures} of ${reference.length} elements are off; worst at index ${worst}: ` +
      `expected ${reference[worst]} but received ${actual[worst]} ` +
      `(tolerance ${tolerance.absolute} + ${tolerance.relative} · |expected|)`,
  );
}

/** Throws unless every element from `from` on still has the bits of `before` (poison by default). */
export function expectUntouched(
  actual: Float32Array | undefined,
  from: number,
  what: string,
  before?: Float32Array,
): void {
  if (!actual) throw new Error(`${what}: there is no such output`);
  const bits = bitsOf(actual);
  const expected = before ? bitsOf(before) : undefined;
  for (let index = from; index < bits.length; index++) {
    if (bits[index] !== (expected ? expected[index] : poisonBits)) {
      throw new Error(`${what}: index ${index} was written (${actual[index]}) but must stay untouched`);
    }
  }
}

/** Compares an output's live rows; those beyond must be as they were: poison, or `before` where a kernel adds to it. */
export function expectRows(
  actual: Float32Array | undefined,
  reference: ArrayLike<number>,
  tolerance: Tolerance,
  what: string,
  before?: Float32Array,
): void {
  expectClose(actual, reference, tolerance, what);
  expectUntouched(actual, reference.length, what, before);
}

/** The same memory as unsigned integers. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
