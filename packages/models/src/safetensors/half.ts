/** Half-precision bits to float32, exactly. It knows nothing of files. */

/** float32 bits of every float16 value; built once, 256 KiB. */
let halfTable: Uint32Array | undefined;

function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // Subnormal: shift until the leading one is implicit; float32 has exponents enough.
  let shifted = 113;
  while ((mantissa & 0x400) === 0) {
    mantissa <<= 1;
    shifted--;
  }
  return (sign | (shifted << 23) | ((mantissa & 0x3ff) << 13)) >>> 0;
}

/** float16 bits to float32, appended to `target` from `offset` on. */
export function widenFloat16(source: Uint16Array, target: Float32Array, offset: number): void {
  halfTable ??= Uint32Array.from({ length: 65536 }, (_, half) => halfToFloatBits(half));
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[offset + i] = halfTable[source[i]!]!;
}

/** bfloat16 bits to float32, appended to `target` from `offset` on. */
export function widenBfloat16(source: Uint16Array, target: Float32Array, offset: number): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[offset + i] = source[i]! << 16;
}
