/** Half-precision numbers for tests: rounding, packing and what a device must have to run them. */
import type { Executor } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { bitsOf, poisonBits, type Tolerance } from './kernel-harness.js';

/** The element types that a kernel with `//@ type Element: f32 | f16` is tested with. */
export const elements: readonly ElementChoice[] = ['f32', 'f16'];
/** Why a test is skipped where `canStore` says no. */
export const noHalf = 'this device has no shader-f16';

/** Bits of the half-precision NaN that outputs hold before a run. */
const halfPoisonBits = 0x7ead;

/** One float16 as a number. */
function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The nearest float16's bits, ties to even. */
function narrow(value: number): number {
  const sign = Object.is(Math.sign(value), -0) || value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const scaled = magnitude * 2 ** (10 - exponent);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // A carry into the exponent is what the addition makes of it.
  return sign | (magnitude === 0 ? 0 : (exponent + 14) * 1024 + rounded);
}

/** float16 bits of `values`, padded to a multiple of four bytes; poison stays poison. */
export function packHalf(values: Float32Array): Uint16Array {
  const packed = new Uint16Array(values.length + (values.length % 2));
  const bits = bitsOf(values);
  values.forEach((value, index) => {
    packed[index] = bits[index] === poisonBits ? halfPoisonBits : narrow(value);
  });
  return packed;
}

/** `count` elements of half-precision poison, padded as `packHalf` does. */
export function halfPoison(count: number): Uint16Array {
  return new Uint16Array(count + (count % 2)).fill(halfPoisonBits);
}

/** The first `count` float16 values; poison becomes the poison of float32. */
export function unpackHalf(packed: Uint16Array, count: number): Float32Array {
  const values = new Float32Array(count);
  const bits = bitsOf(values);
  for (let index = 0; index < count; index++) {
    const half = packed[index] as number;
    if (half === halfPoisonBits) bits[index] = poisonBits;
    else values[index] = widen(half);
  }
  return values;
}

/** `values` as they are once stored as `element`; references are computed from these. */
export function stored(values: Float32Array, element: ElementChoice): Float32Array {
  return element === 'f16' ? unpackHalf(packHalf(values), values.length) : values;
}

/** `tolerance`, widened by what storing a result as `element` costs (WGSL may round to either neighbour). */
export function storageTolerance(tolerance: Tolerance, element: ElementChoice): Tolerance {
  if (element === 'f32') return tolerance;
  return { absolute: tolerance.absolute + 2 ** -24, relative: tolerance.relative + 2 ** -10 };
}

/** Whether `executor` can run kernels with that element type; tests skip, saying so, where it cannot. */
export function canStore(executor: Executor, element: ElementChoice): boolean {
  return element === 'f32' || executor.device.features.includes('shader-f16');
}
