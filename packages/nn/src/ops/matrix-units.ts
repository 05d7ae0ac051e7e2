/**
 * Which of a device's matrix units a kernel can count on, and with what subgroups. Their tiles are in
 * `matmul-matrix-tiles.ts` and `attention-matrix-tiles.ts`.
 */
import type { SubgroupMatrixConfig } from '@synglot/gpu';
import { type ElementChoice, type Extension, extensionFeature } from '@synglot/kernels';
import type { DeviceTraits } from '../graph.js';
import type { KernelChoice } from './kernel-choice.js';

/** A configuration of the device's matrix units, and the subgroups that use them. */
export interface MatrixUnits {
  readonly config: SubgroupMatrixConfig;
  readonly subgroupSize: number;
  /** Constants that ask for the size if the device has several; to be added to those of a tile. */
  readonly pin: KernelChoice['constants'];
}

/**
 * Every configuration that multiplies `element` and sums in f32, with every size of subgroups, best guess first.
 * Units of f16 serve only elements that are stored as f16: f32 elements would silently lose precision.
 */
export function matrixUnits(device: DeviceTraits, element: ElementChoice): MatrixUnits[] {
  return (device.subgroupMatrixConfigs ?? [])
    .filter(({ component, result }) => component === element && result === 'f32')
    .flatMap((config) =>
      matrixSubgroups(device).map(({ size, pinned }) => ({
        config,
        subgroupSize: size,
        pin: pinned ? { PIN_SUBGROUP_SIZE: true } : {},
      })),
    );
}

/**
 * Sizes of subgroups that a kernel on matrix units can count on, and whether it must ask for them
 * (`@subgroup_size`). None if sizes vary and the device does not let a kernel choose.
 *
 * First 32, which the GPUs of both Intel and AMD have and the tiles were made for; then from the largest down.
 */
export function matrixSubgroups({
  subgroups: { minSize, maxSize },
  features = [],
}: DeviceTraits): { readonly size: number; readonly pinned: boolean }[] {
  const has = (extension: Extension) => features.includes(extensionFeature[extension]);
  const pinned = minSize !== maxSize;
  if (minSize === 0 || !has('subgroups') || !has('subgroup_matrix')) return [];
  if (pinned && !has('subgroup_size_control')) return [];
  const sizes: number[] = [];
  for (let size = minSize; size <= maxSize; size *= 2) sizes.unshift(size);
  const inOrder = [...sizes.filter((size) => size === 32), ...sizes.filter((size) => size !== 32)];
  return inOrder.map((size) => ({ size, pinned }));
}

/**
 * Whether a kernel on matrix units may have workgroups of so many invocations: Dawn refuses any but multiples of the
 * device's largest subgroup, also of a kernel that asks for a smaller one.
 */
export function fillsSubgroups({ subgroups }: DeviceTraits, invocations: number): boolean {
  return invocations % subgroups.maxSize === 0;
}
