/**
 * Tiles of attention on matrix units: which shapes a device's configurations allow, and how much memory they need.
 *
 * The constants are those of `kernels/wgsl/include_attention_subgroup_matrix.wgsl`. What runs is chosen in
 * `attention-kernels.ts`.
 */
import type { SubgroupMatrixConfig } from '@synglot/gpu';
import type { DeviceTraits } from '../graph.js';
import type { AttentionProblem } from './attention-kernels.js';
import type { KernelChoice } from './kernel-choice.js';
import { fillsSubgroups, matrixUnits } from './matrix-units.js';
import { portableLimits } from './portable-limits.js';

type Constants = KernelChoice['constants'];

/** Most sums that an invocation keeps from tile to tile. */
const maxSums = 128;

/** Subgroups (`down` the own rows × `across` other rows and columns), own rows and other rows of a tile. */
const shapes = [
  { down: 4, across: 1, own: 64, others: 32 },
  { down: 2, across: 2, own: 32, others: 64 },
  { down: 2, across: 2, own: 32, others: 32 },
  { down: 2, across: 2, own: 32, others: 16 },
  { down: 2, across: 1, own: 16, others: 32 },
  { down: 2, across: 2, own: 16, others: 16 },
  { down: 1, across: 2, own: 16, others: 32 },
] as const;

/**
 * Tiles for every configuration of the matrix units that multiplies the stored type and sums in f32, 32 × 32 first;
 * none if the device has no such configuration.
 */
export function attentionMatrixTiles(device: DeviceTraits, problem: AttentionProblem): Constants[] {
  return matrixUnits(device, problem.element).flatMap(({ config, subgroupSize, pin }) =>
    attentionMatrixShapes(device, problem, config, subgroupSize).map((shape) => ({ ...shape, ...pin })),
  );
}

/** Tiles of one configuration that fit the device, 32 × 32 before larger and smaller ones. */
export function attentionMatrixShapes(
  device: DeviceTraits,
  problem: AttentionProblem,
  config: SubgroupMatrixConfig,
  subgroupSize: number,
): Constants[] {
  const limits = device.limits ?? portableLimits;
  const found = new Map<string, { constants: Constants; modest: boolean }>();
  for (const shape of shapes) {
    const constants = tileConstants(problem, config, subgroupSize, shape);
    const tile = sizesOf(constants);
    const outputs = problem.pass === 'attention_backward_key_value' ? 2 : 1;
    const fits =
      tile.lanes > 0 &&
      tile.workgroup % tile.own === 0 &&
      tile.others % tile.lanes === 0 &&
      fillsSubgroups(device, tile.workgroup) &&
      tile.workgroup <= limits.maxComputeInvocationsPerWorkgroup &&
      (outputs * tile.own * tile.columns) / tile.workgroup <= maxSums &&
      matrixTileBytes(problem.pass, constants) <= limits.maxComputeWorkgroupStorageSize;
    const modest = tile.own <= 32 && tile.others <= 32;
    if (fits) found.set(JSON.stringify(constants), { constants, modest });
  }
  // 64 rows only if a table says so: texts are often shorter, and a tile computes its scores across texts in vain.
  const tiles = [...found.values()];
  const inOrder = [...tiles.filter(({ modest }) => modest), ...tiles.filter(({ modest }) => !modest)];
  return inOrder.map(({ constants }) => constants);
}

/** The constants of a shape, rounded up to whole matrices; a subgroup's columns and other rows also to whole steps of K. */
function tileConstants(
  { pass, headVectors }: AttentionProblem,
  { component, result, M, N, K }: SubgroupMatrixConfig,
  subgroupSize: number,
  { down, across, own, others }: (typeof shapes)[number],
): Constants {
  // Matrices that each subgroup needs to cover `size` in whole steps of K.
  const fragments = (size: number) => {
    let count = Math.ceil(size / (across * N));
    while ((count * N) % K !== 0) count += 1;
    return count;
  };
  const ownFragments = Math.ceil(own / (down * M));
  const lanes = Math.floor((down * across * subgroupSize) / (down * ownFragments * M));
  return {
    MATRIX_M: M,
    MATRIX_N: N,
    MATRIX_K: K,
    SUBGROUP_SIZE: subgroupSize,
    SUBGROUPS_M: down,
    SUBGROUPS_N: across,
    OWN_FRAGMENTS: ownFragments,
    OTHER_FRAGMENTS: fragments(others),
    COLUMN_FRAGMENTS: fragments(4 * headVectors),
    HEAD_VECTORS: headVectors,
    ...(pass === 'attention_forward' ? { COLUMNS_EACH: Math.ceil(headVectors / Math.max(1, lanes)) } : {}),
    Component: component,
    Sum: result,
  };
}

/** Rows, columns and invocations of a tile. */
function sizesOf(constants: Constants) {
  const of = (name: string) => Number(constants[name]);
  const [down, across] = [of('SUBGROUPS_M'), of('SUBGROUPS_N') * of('MATRIX_N')];
  const own = down * of('OWN_FRAGMENTS') * of('MATRIX_M');
  const workgroup = down * of('SUBGROUPS_N') * of('SUBGROUP_SIZE');
  return {
    own,
    workgroup,
    lanes: Math.floor(workgroup / own),
    others: across * of('OTHER_FRAGMENTS'),
    columns: across * of('COLUMN_FRAGMENTS'),
    across: of('SUBGROUPS_N'),
  };
}

/** Own rows of a workgroup. */
export function matrixTileRows(constants: Constants): number {
  return sizesOf(constants).own;
}

/** Bytes of workgroup memory that a tile takes. */
export function matrixTileBytes(pass: AttentionProblem['pass'], constants: Constants): number {
  const { own, others, columns, workgroup, across } = sizesOf(constants);
  const [component, sum] = [constants.Component, constants.Sum].map((type) => (type === 'f16' ? 2 : 4));
  const [rowsAcross, columnsAcross] = [others / across, columns / across];
  const ownPanel = own * (columns + 8);
  const otherPanels = 2 * others * across * (columnsAcross + 8);
  const weights = own * (others + 8);
  const sums = (width: number) => own * across * (width + 4);
  if (pass === 'attention_forward') {
    const widest = Math.max(rowsAcross, columnsAcross);
    return (ownPanel + otherPanels + weights) * component! + sums(widest) * sum! + workgroup * 4;
  }
  const isKeyValue = pass === 'attention_backward_key_value';
  // Statistics of the other rows, and their dropout keys.
  const statistics = isKeyValue ? others * 12 : 0;
  const panels = 2 * ownPanel + otherPanels + (isKeyValue ? 2 : 1) * weights;
  return panels * component! + 2 * sums(rowsAcross) * sum! + statistics;
}
