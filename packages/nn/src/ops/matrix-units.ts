/**
 * Which of a device's matrix units a kernel can count on, and with what subgroups; no tiles: those are
 * `matmul-candidates.ts` and `attention-matrix-tiles.ts`.
 */
import type { SubgroupMatrixConfig } from '@synglot/gpu';
import { type ElementChoice, extensionFeature } from '@synglot/kernels';
import type { DeviceTraits } from '../graph.js';
import type { KernelChoice } from './kernel-choice.js';

export interface MatrixUnits {
  readonly config: SubgroupMatrixConfig;
  readonly subgroupSize: number;
  /** Constants that make the size so where the device has several; to be added to those of a tile. */
  readonly pin: KernelChoice['constants'];
}

/**
 * Every configuration that multiplies `element` and sums in f32, with every size of subgroups, best guess first.
 * Units of f16 serve where what is multiplied is stored as f16: f32 elements would lose precision that nobody
 * has given up. None where sizes vary and the device does not let a kernel choose: tiles count on the size.
 */
export function matrixUnits(device: DeviceTraits, element: ElementChoice): MatrixUnits[] {
  const has = (feature: string) => device.features?.includes(feature) ?? false;
  if (!has(extensionFeature.subgroups) || !has(extensionFeature.subgroup_matrix)) return [];
  const { minSize, maxSize } = device.subgroups;
  if (minSize === 0) return [];
  const varies = minSize !== maxSize;
  if (varies && !has(extensionFeature.subgroup_size_control)) return [];
  return (device.subgroupMatrixConfigs ?? [])
    .filter(({ component, result }) => component === element && result === 'f32')
    .flatMap((config) =>
      subgroupSizes(minSize, maxSize).map((subgroupSize) => ({
        ...{ config, subgroupSize },
        pin: varies ? { PIN_SUBGROUP_SIZE: true } : {},
      })),
    );
}

/**
 * 32 first, which is what Intel's and AMD's GPUs both have and what these tiles were made for; then from the
 * largest.
 */
function subgroupSizes(minSize: number, maxSize: number): number[] {
  const sizes: number[] = [];
  for (let size = minSize; size <= maxSize; size *= 2) sizes.unshift(size);
  return sizes.includes(32) ? [32, ...sizes.filter((size) => size !== 32)] : sizes;
}
