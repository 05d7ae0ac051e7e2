/** Matrices as kernels store them, f32 or f16. For what benchmarks feed and read, not for checkpoints. */

export type Element = 'f32' | 'f16';

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Values as the device stores them; in f16 they must be zero or normal half-precision numbers. */
export function toElement(values: Float32Array, element: Element = 'f32'): Float32Array | Uint16Array {
  if (element === 'f32') return values;
  // A loop: `from` calls its function through an iterator, which takes many times as long.
  const bits = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) bits[index] = halfBits(values[index] as number);
  return bits;
}

/** What the device has stored, as numbers. */
export function fromElement(stored: ArrayBuffer, element: Element = 'f32'): Float32Array {
  if (element === 'f32') return new Float32Array(stored);
  const bits = new Uint16Array(stored);
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) values[index] = halfValue(bits[index] as number);
  return values;
}

function halfBits(value: number): number {
  if (value === 0) return 0;
  float[0] = value;
  const bits = word[0] as number;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent < 1 || exponent > 30 || (bits & 0x1fff) !== 0) {
    throw new RangeError(`${value} is not a normal half-precision number`);
  }
  return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, mantissa] = [(bits >>> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
