/** Tensors of a plan under construction: a name, a shape and a buffer-to-be. No data. */

/** Types of stored elements. */
export type ElementType = 'f32' | 'f16' | 'u32';

/** Bytes of one element of a type. */
export const bytesPerElement: Readonly<Record<ElementType, number>> = { f32: 4, f16: 2, u32: 4 };

/** Bytes of a tensor: its elements, rounded up to the four bytes that buffers are sized and copied in. */
export function tensorSizeBytes(shape: readonly number[], type: ElementType): number {
  return Math.ceil((elementCount(shape) * bytesPerElement[type]) / 4) * 4;
}

/** A tensor of one `PlanBuilder`; row-major, densely packed. */
export interface Tensor {
  /** Index in the builder; meaningful only to the builder that made it. */
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly sizeBytes: number;
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
