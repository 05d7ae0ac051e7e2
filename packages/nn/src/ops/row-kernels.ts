/**
 * Which kernels sum over rows and columns on a device, with which constants and workgroups. No other file
 * chooses, except for matrix products and attention.
 */
import type { Axis } from '../axis.js';
import { type DeviceTraits, stridedWorkgroups } from '../graph.js';
import { portableLimits } from './portable-limits.js';

/**
 * - `invocation`: one invocation walks a whole row, or a whole column of a block; for software devices, which
 *   run few invocations at a time and read memory best in sequence
 * - `workgroup`: neighbouring invocations share the row, or the block's rows, and reduce through workgroup
 *   memory; for GPUs, which need many invocations that load neighbouring elements
 */
export type RowStrategy = 'invocation' | 'workgroup';

/** A kernel of either strategy: bindings and params are those of the plain kernel, whose name types it. */
export interface RowKernel<Name extends string> {
  readonly kernel: Name;
  readonly constants: object;
  readonly workgroups: readonly [number, number?];
}

/** The best strategy for `device`. */
export function rowStrategy({ type }: Pick<DeviceTraits, 'type'>): RowStrategy {
  return type === 'cpu' ? 'invocation' : 'workgroup';
}

/** Most workgroups in one dimension; kernels that may have more rows stride over them. */
const mostWorkgroups = portableLimits.maxComputeWorkgroupsPerDimension;
/** Vectors of four that an invocation keeps in registers, unless rows are too long for that. */
const vectorsPerLane = 4;
const mostInvocations = portableLimits.maxComputeInvocationsPerWorkgroup;

/** A kernel over `rows` rows of 4 · k columns, each held in the registers of the invocations that share it. */
export function registerRowKernel<Name extends 'residual_layer_norm_forward' | 'layer_norm_backward_input'>(
  device: DeviceTraits,
  name: Name,
  { rows, columns }: { rows: number; columns: number },
): RowKernel<Name> {
  if (rowStrategy(device) === 'invocation') return plain(name, rows);
  const vectors = columns / 4;
  const wanted = [32, 64, 128, mostInvocations].find((lanes) => vectors <= lanes * vectorsPerLane);
  const LANES = wanted ?? mostInvocations;
  const SUMS = Math.max(1, 64 / LANES);
  return {
    kernel: `${name}_workgroup` as Name,
    constants: { LANES, SUMS, VECTORS: Math.ceil(vectors / LANES) },
    workgroups: [Math.min(mostWorkgroups, Math.ceil(rows / SUMS))],
  };
}

/** A kernel over `rows` rows, each read from memory. */
export function rowKernel<
  Name extends
    | 'normalize_forward'
    | 'normalize_backward'
    | 'exp_scale_backward_input'
    | 'squared_distance_forward'
    | 'squared_distance_backward'
    | 'info_nce_row_statistics',
>(device: DeviceTraits, name: Name, rows: number): RowKernel<Name> {
  if (rowStrategy(device) === 'invocation') return plain(name, rows);
  return {
    kernel: `${name}_workgroup` as Name,
    constants: { LANES: 64 },
    workgroups: [Math.min(mostWorkgroups, rows)],
  };
}

/** The statistics of the first `columns` columns of a similarity matrix. */
export function columnStatisticsKernel(
  device: DeviceTraits,
  columns: number,
): RowKernel<'info_nce_column_statistics'> {
  const name = 'info_nce_column_statistics';
  if (rowStrategy(device) === 'invocation') return plain(name, columns);
  return { kernel: `${name}_workgroup` as typeof name, ...sharedColumns(columns) };
}

/** The statistics of the rows, or of the columns, of a tile × tile part of a similarity matrix. */
export function tileStatisticsKernel(
  device: DeviceTraits,
  { tile, columns }: { tile: number; columns: boolean },
): RowKernel<'info_nce_tile_statistics'> {
  const name = 'info_nce_tile_statistics';
  if (rowStrategy(device) === 'invocation') return plain(name, tile);
  const shared = columns
    ? sharedColumns(tile)
    : { constants: { LANES: 64, SUMS: 1 }, workgroups: [tile] as const };
  return { kernel: `${name}_workgroup` as typeof name, ...shared };
}

/** Sixteen neighbouring columns, so that loads are coalesced; sixteen invocations share the rows of each. */
function sharedColumns(columns: number) {
  const constants = { LANES: 16, SUMS: 16 };
  return { constants, workgroups: [Math.ceil(columns / constants.SUMS)] as const };
}

/** A first-stage kernel over `blocks` blocks of rows of 4 · k columns. */
export function blockSumKernel<Name extends 'column_sum_partial' | 'layer_norm_backward_parameters_partial'>(
  device: DeviceTraits,
  name: Name,
  { blocks, columns }: { blocks: number; columns: number },
): RowKernel<Name> {
  const vectors = columns / 4;
  if (rowStrategy(device) === 'invocation') {
    return { kernel: name, constants: {}, workgroups: [Math.ceil(vectors / 32), blocks] };
  }
  const constants = { LANES: 8, SUMS: 32 };
  return {
    kernel: `${name}_workgroup` as Name,
    constants,
    workgroups: [Math.ceil(vectors / constants.SUMS), blocks],
  };
}

/** The second stage, over 4 · k columns. */
export function partialSumKernel(device: DeviceTraits, columns: number): RowKernel<'partial_sum_accumulate'> {
  const name = 'partial_sum_accumulate';
  const vectors = columns / 4;
  if (rowStrategy(device) === 'invocation') {
    return { kernel: name, constants: {}, workgroups: [Math.ceil(vectors / 32)] };
  }
  return { kernel: `${name}_workgroup` as typeof name, ...sharedColumns(vectors) };
}

/** The gradient of a table's rows, of which a batch uses `distinct`. */
export function tableGradientKernel(
  device: DeviceTraits,
  { distinct, columns }: { distinct: Axis; columns: number },
): RowKernel<'embedding_backward_rows'> {
  const name = 'embedding_backward_rows';
  if (rowStrategy(device) === 'invocation') {
    return { kernel: name, constants: {}, workgroups: stridedWorkgroups(device, distinct, columns) };
  }
  const constants = { LANES: 8, SUMS: 8 };
  const parts = distinct.capacity * Math.ceil(columns / 4 / constants.SUMS);
  return {
    kernel: `${name}_workgroup` as typeof name,
    constants,
    workgroups: [Math.max(1, Math.min(mostWorkgroups, parts))],
  };
}

/** Constants of `sum_of_squares_partial`: larger workgroups, and so more loads in flight, on GPUs. */
export function squaredNormConstants(device: DeviceTraits): { readonly WORKGROUP_SIZE?: number } {
  return rowStrategy(device) === 'invocation' ? {} : { WORKGROUP_SIZE: mostInvocations };
}

function plain<Name extends string>(name: Name, rows: number): RowKernel<Name> {
  return { kernel: name, constants: {}, workgroups: [Math.ceil(rows / 64)] };
}
