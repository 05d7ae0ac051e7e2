/**
 * Which kernels can compute attention on a device, with which tiles, best guess first. No other file chooses.
 *
 * Decides from the device's traits, never by measuring; a tuner may measure the candidates and hand its choices back as
 * `DeviceTraits.kernelChoices`. Emits nothing: that is `attention.ts`. The kernels of all strategies have the same
 * inputs and outputs, so forward and the two backward kernels are chosen one by one.
 */
import { type ElementChoice, type KernelName, kernelConstant } from '@synglot/kernels';
import type { DeviceTraits } from '../graph.js';
import { attentionMatrixTiles, matrixTileRows } from './attention-matrix-tiles.js';
import { type KernelChoice, tunedChoice } from './kernel-choice.js';
import { portableLimits } from './portable-limits.js';

/**
 * - `portable`: one invocation per query, nothing shared; runs everywhere
 * - `subgroup`: the lanes of a subgroup share what they load; for software devices, which load lane by lane
 * - `workgroup`: tiles in workgroup memory, products in registers; for GPUs
 * - `subgroup_matrix`: tiles in workgroup memory, products on matrix units; only if a table or a caller asks for it
 */
export type AttentionStrategy = 'portable' | 'subgroup' | 'workgroup' | 'subgroup_matrix';

/** Every strategy by name. */
export const attentionStrategies: readonly AttentionStrategy[] = [
  'portable',
  'subgroup',
  'workgroup',
  'subgroup_matrix',
];

/** The kernels over queries, keys and values: bindings and params are those of the portable one. */
export type AttentionPass = 'attention_forward' | 'attention_backward_query' | 'attention_backward_key_value';

/** What attention kernels are chosen by. */
export interface AttentionProblem {
  readonly pass: AttentionPass;
  /** The head size in vectors of four columns. */
  readonly headVectors: number;
  /** How queries, keys, values and their gradients are stored. */
  readonly element: ElementChoice;
}

/** A kernel of a strategy and its tile. */
export type AttentionChoice = KernelChoice;

/**
 * A tile's grid of invocations, and how many other rows each has: keys, or queries for the gradients of keys and values.
 */
interface Tile {
  readonly WORKGROUP_X: number;
  readonly WORKGROUP_Y: number;
  readonly OTHERS_EACH: number;
}

/** Most sums that an invocation keeps in registers. */
const maxSums = 64;
/** 64 × 32, 64 × 16, 32 × 32, 32 × 16 twice, 16 × 16 twice and 16 × 8 rows. */
const tiles: readonly Tile[] = [
  { WORKGROUP_X: 8, WORKGROUP_Y: 16, OTHERS_EACH: 4 },
  { WORKGROUP_X: 4, WORKGROUP_Y: 16, OTHERS_EACH: 4 },
  { WORKGROUP_X: 8, WORKGROUP_Y: 8, OTHERS_EACH: 4 },
  { WORKGROUP_X: 4, WORKGROUP_Y: 8, OTHERS_EACH: 4 },
  { WORKGROUP_X: 8, WORKGROUP_Y: 8, OTHERS_EACH: 2 },
  { WORKGROUP_X: 8, WORKGROUP_Y: 4, OTHERS_EACH: 2 },
  { WORKGROUP_X: 16, WORKGROUP_Y: 4, OTHERS_EACH: 1 },
  { WORKGROUP_X: 8, WORKGROUP_Y: 4, OTHERS_EACH: 1 },
];

/** The best strategy for `device`. A device that does not say what it is (a browser may hide that) counts as a GPU. */
export function attentionStrategy({ type, subgroups }: DeviceTraits): AttentionStrategy {
  if (type !== 'cpu') return 'workgroup';
  return subgroups.minSize >= 4 ? 'subgroup' : 'portable';
}

/**
 * All choices that are valid for a problem on a device, best guess first: those of the strategy that suits the device,
 * then the portable kernel, then matrix units, which have not been timed on any GPU. With `strategy`, only its choices:
 * none if no tile fits or the device lacks what it needs.
 */
export function attentionCandidates(
  device: DeviceTraits,
  problem: AttentionProblem,
  strategy?: AttentionStrategy,
): AttentionChoice[] {
  if (!strategy) {
    const strategies = new Set<AttentionStrategy>([attentionStrategy(device), 'portable', 'subgroup_matrix']);
    return [...strategies].flatMap((each) => attentionCandidates(device, problem, each));
  }
  const { pass, headVectors } = problem;
  const HEAD_VECTORS = headVectors;
  if (strategy === 'portable') return [{ kernel: pass, constants: { HEAD_VECTORS } }];
  const kernel = `${pass}_${strategy}` as KernelName;
  if (strategy === 'workgroup') {
    return workgroupTiles(device, problem).map((tile) => {
      const COLUMNS_EACH = Math.ceil(headVectors / tile.WORKGROUP_X);
      return { kernel, constants: { HEAD_VECTORS, COLUMNS_EACH, ...tile } };
    });
  }
  if (strategy === 'subgroup_matrix') {
    return attentionMatrixTiles(device, problem).map((constants) => ({ kernel, constants }));
  }
  if (device.subgroups.minSize < 4) return [];
  const LANES = device.subgroups.minSize >= 8 ? 8 : 4;
  return [{ kernel, constants: { HEAD_VECTORS, LANES, LOADS: Math.ceil(headVectors / LANES) } }];
}

/**
 * What runs. If a strategy is asked for, here or by the traits: its best guess, or the portable kernel if it has none.
 * Otherwise the choice of the device's table if it is among the candidates, else the first of them.
 */
export function pickAttention(
  device: DeviceTraits,
  problem: AttentionProblem,
  strategy: AttentionStrategy | undefined = device.attentionStrategy,
): AttentionChoice {
  const candidates = strategy
    ? [strategy, 'portable' as const].flatMap((each) => attentionCandidates(device, problem, each))
    : attentionCandidates(device, problem);
  const tuned = strategy ? undefined : tunedChoice(device, attentionShapeClass(problem), candidates);
  return tuned ?? (candidates[0] as AttentionChoice);
}

/** Key of a table of choices: neither the number of tokens nor that of heads matters. */
export function attentionShapeClass({ pass, headVectors, element }: AttentionProblem): string {
  return `${pass} ${4 * headVectors} ${element}`;
}

/** Workgroups of a choice for `tokens` tokens of `heads` heads. */
export function attentionWorkgroups(
  { kernel, constants }: AttentionChoice,
  tokens: number,
  heads: number,
): [number, number] {
  const of = (name: string) => kernelConstant(kernel, name, constants);
  if (kernel.endsWith('_subgroup_matrix')) return [Math.ceil(tokens / matrixTileRows(constants)), heads];
  if (kernel.endsWith('_workgroup')) return [Math.ceil(tokens / (4 * of('WORKGROUP_Y'))), heads];
  const perWorkgroup = of(kernel.endsWith('_subgroup') ? 'LANES' : 'WORKGROUP_SIZE');
  return [Math.ceil(tokens / perWorkgroup), heads];
}

/** Bytes of workgroup memory that a tile takes: `include_attention_workgroup.wgsl`. */
export function attentionTileBytes(
  { pass, headVectors, element }: AttentionProblem,
  { WORKGROUP_X, WORKGROUP_Y, OTHERS_EACH }: Tile,
): number {
  const [own, others] = [4 * WORKGROUP_Y, OTHERS_EACH * WORKGROUP_X];
  const ownPanels = pass === 'attention_forward' ? 1 : 2;
  const panels = (ownPanels * own + others) * (headVectors | 1) * (element === 'f16' ? 8 : 16);
  const weights = others * (WORKGROUP_Y | 1) * 16;
  const shares = pass === 'attention_forward' ? WORKGROUP_X * WORKGROUP_Y * 16 : 0;
  return panels + weights + shares;
}

/** Tiles that fit the device: those of at most 16 KiB before those that need more, larger before smaller. */
function workgroupTiles(device: DeviceTraits, problem: AttentionProblem): Tile[] {
  const limits = device.limits ?? portableLimits;
  const outputs = problem.pass === 'attention_backward_key_value' ? 2 : 1;
  const valid = tiles.filter(
    (tile) =>
      16 * outputs * Math.ceil(problem.headVectors / tile.WORKGROUP_X) <= maxSums &&
      tile.WORKGROUP_X * tile.WORKGROUP_Y <= limits.maxComputeInvocationsPerWorkgroup &&
      attentionTileBytes(problem, tile) <= limits.maxComputeWorkgroupStorageSize,
  );
  // 64 rows only if a table says so: texts are often shorter, and a tile computes its scores across texts in vain.
  const modest = (tile: Tile) =>
    tile.WORKGROUP_Y <= 8 &&
    attentionTileBytes(problem, tile) <= portableLimits.maxComputeWorkgroupStorageSize;
  // If a subgroup can be larger than the workgroup (64 invocations on AMD), the rest of it would be idle.
  const idle = (tile: Tile) => tile.WORKGROUP_X * tile.WORKGROUP_Y < device.subgroups.maxSize;
  const rank = (tile: Tile) => (modest(tile) ? 0 : 2) + (idle(tile) ? 1 : 0);
  return valid.sort((one, other) => rank(one) - rank(other));
}
