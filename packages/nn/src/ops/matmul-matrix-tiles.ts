/**
 * Tiles of products on matrix units: what `include_matmul_subgroup_matrix.wgsl` takes on a device. Which of them a
 * product runs with is decided by `matmul-candidates.ts`; attention's are in `attention-matrix-tiles.ts`.
 */
import type { SubgroupMatrixConfig } from '@synglot/gpu';
import type { DeviceTraits } from '../graph.js';
import type { KernelChoice } from './kernel-choice.js';
import type { MatmulProduct } from './matmul-candidates.js';
import { fillsSubgroups } from './matrix-units.js';
import { portableLimits } from './portable-limits.js';

/** Subgroups side by side and below each other; rows and columns of c of a subgroup; k of a panel. */
interface Shape {
  readonly across: number;
  readonly down: number;
  readonly rows: number;
  readonly columns: number;
  readonly step: number;
}

const shapes: readonly Shape[] = [
  { across: 4, down: 2, rows: 64, columns: 32, step: 32 },
  { across: 2, down: 2, rows: 64, columns: 64, step: 32 },
  { across: 2, down: 2, rows: 32, columns: 32, step: 32 },
  { across: 2, down: 2, rows: 16, columns: 16, step: 32 },
  { across: 1, down: 1, rows: 32, columns: 32, step: 16 },
];

/** Sums of an invocation: half of the 256 registers that it has at most on a GPU. */
const maxSums = 128;
/** Matrices of a subgroup: more take too long to compile. */
const maxFragments = 32;

/** Tiles of one configuration that fit the device, from the largest. */
export function matrixShapes(
  device: DeviceTraits,
  product: MatmulProduct,
  config: SubgroupMatrixConfig,
  subgroupSize: number,
): KernelChoice['constants'][] {
  return shapes.flatMap((shape) => {
    const tile = tileOf(shape, config, subgroupSize);
    return fits(device, product, tile) ? [constantsOf(tile)] : [];
  });
}

interface MatrixTile extends Shape {
  readonly config: SubgroupMatrixConfig;
  readonly subgroupSize: number;
  /** Matrices of a subgroup, along m and n. */
  readonly fragments: { readonly m: number; readonly n: number };
  /** Rows and columns of c of the workgroup. */
  readonly m: number;
  readonly n: number;
  readonly stepK: number;
}

function tileOf(shape: Shape, config: SubgroupMatrixConfig, subgroupSize: number): MatrixTile {
  const { M, N, K } = config;
  const fragments = { m: Math.ceil(shape.rows / M), n: Math.ceil(shape.columns / N) };
  return {
    ...shape,
    config,
    subgroupSize,
    fragments,
    m: shape.down * fragments.m * M,
    n: shape.across * fragments.n * N,
    stepK: Math.ceil(shape.step / K) * K,
  };
}

function fits(device: DeviceTraits, product: MatmulProduct, tile: MatrixTile): boolean {
  const limits = device.limits ?? portableLimits;
  const { config, fragments, subgroupSize, stepK } = tile;
  // Of each matrix, rows as memory has them: along k, or along m or n.
  const leftAlongK = product !== 'matmul_tn';
  const rightAlongK = product.startsWith('matmul_nt');
  const invocations = tile.across * tile.down * subgroupSize;
  // Invocations bring whole rows of a panel at a time, four elements each.
  const bringsRows = (row: number) => invocations % (row / 4) === 0;
  const sums = (fragments.m * config.M * fragments.n * config.N) / subgroupSize;
  const finished = tile.across * tile.down * config.M * config.N * bytesOf(config.result);
  return (
    fragments.m * fragments.n <= maxFragments &&
    (device.type === 'cpu' || sums <= maxSums) &&
    bringsRows(leftAlongK ? stepK : tile.m) &&
    bringsRows(rightAlongK ? stepK : tile.n) &&
    fillsSubgroups(device, invocations) &&
    invocations <= limits.maxComputeInvocationsPerWorkgroup &&
    panelBytes(tile.m, config.M, leftAlongK, tile) +
      panelBytes(tile.n, config.N, rightAlongK, tile) +
      finished <=
      limits.maxComputeWorkgroupStorageSize
  );
}

/** Bytes of a panel of `outer` rows or columns of c, in matrices of `size` of them, each padded as in the include. */
function panelBytes(outer: number, size: number, alongK: boolean, { config, stepK }: MatrixTile): number {
  const padded = (length: number) => (length % 16 === 0 ? length + 8 : length);
  const matrices = (outer * stepK) / (size * config.K);
  return matrices * (alongK ? size * padded(config.K) : config.K * padded(size)) * bytesOf(config.component);
}

function bytesOf(type: string): number {
  return type === 'f16' ? 2 : 4;
}

function constantsOf({ config, subgroupSize, ...tile }: MatrixTile): KernelChoice['constants'] {
  return {
    MATRIX_M: config.M,
    MATRIX_N: config.N,
    MATRIX_K: config.K,
    SUBGROUP_SIZE: subgroupSize,
    SUBGROUPS_M: tile.down,
    SUBGROUPS_N: tile.across,
    FRAGMENTS_M: tile.fragments.m,
    FRAGMENTS_N: tile.fragments.n,
    STEP_K: tile.stepK,
    Component: config.component,
    Sum: config.result,
  };
}
