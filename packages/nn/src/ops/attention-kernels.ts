/**
 * What can compute attention on a device: kernels with their tiles, best guess first. The only file that knows.
 *
 * Decides from the device's traits, never by measuring; a tuner may measure the candidates and hand its choices back as
 * `DeviceTraits.kernelChoices`. Emits nothing: that is `attention.ts`. The kernels of all strategies take the same and
 * save the same, so forward and the two backward kernels are chosen one by one.
 */
import { type ElementChoice, type KernelName, kernelConstant } from '@synglot/kernels';
import type { DeviceTraits } from '../graph.js';
import { attentionMatrixTiles, matrixTileRows } from './attention-matrix-tiles.js';
import { type KernelChoice, tunedChoice } from './kernel-choice.js';

/**
 * - `portable`: one invocation a query, nothing shared; runs everywhere
 * - `subgroup`: the lanes of a subgroup share what they load; software devices, which load lane by lane
 * - `workgroup`: tiles in workgroup memory, products in registers; GPUs
 * - `subgroup_matrix`: tiles in workgroup memory, products on matrix units; only where a table or a caller asks for it
 */
export type AttentionStrategy = 'portable' | 'subgroup' | 'workgroup' | 'subgroup_matrix';

export const attentionStrategies: readonly AttentionStrategy[] = [
  'portable',
  'subgroup',
  'workgroup',
  'subgroup_matrix',
];

/** The kernels over queries, keys and values: bindings and params are those of the portable one. */
export type AttentionPass = 'attention_forward' | 'attention_backward_query' | 'attention_backward_key_value';

export interface AttentionProblem {
  readonly pass: AttentionPass;
  /** The head size in vectors of four columns. */
  readonly headVectors: number;
  /** How queries, keys, values and their gradients are stored. */
  readonly element: ElementChoice;
}

/** A kernel of a strategy and its tile. */
export type AttentionChoice = KernelChoice;

/** The grid of invocations, and other rows (keys; queries for the gradients of keys and values) of each. */
interface Tile {
  readonly WORKGROUP_X: number;
  readonly WORKGROUP_Y: number;
  readonly OTHERS_EACH: number;
}

/** What every device grants, and what is asked for unless somebody has measured that more is better. */
const portableLimits = { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 16384 };
/** Sums that an invocation may keep in registers, in numbers. */
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

/** The strategy that is best on `device`. One that does not say what it is (a browser may hide that) is a GPU. */
export function attentionStrategy({ type, subgroups }: DeviceTraits): AttentionStrategy {
  if (type !== 'cpu') return 'workgroup';
  return subgroups.minSize >= 4 ? 'subgroup' : 'portable';
}

/**
 * All choices that are valid for a problem on a device, best guess first: those of the strategy that suits the device,
 * then the portable kernel, then matrix units, which no GPU has been timed with. With `strategy`, those of that one: none
 * where no tile fits, or where the device lacks what the strategy needs.
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
 * What runs: of `strategy`, or of the one that the traits name, the best guess, the portable kernel where it has none;
 * else the choice of the device's table if it is among the candidates, else the first of them.
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

/** Key of a table of choices: neither the tokens nor the heads decide. */
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

/** Tiles that fit the device, those of 16 KiB before those that need more, larger before smaller. */
function workgroupTiles(device: DeviceTraits, problem: AttentionProblem): Tile[] {
  const limits = device.limits ?? portableLimits;
  const outputs = problem.pass === 'attention_backward_key_value' ? 2 : 1;
  const valid = tiles.filter(
    (tile) =>
      16 * outputs * Math.ceil(problem.headVectors / tile.WORKGROUP_X) <= maxSums &&
      tile.WORKGROUP_X * tile.WORKGROUP_Y <= limits.maxComputeInvocationsPerWorkgroup &&
      attentionTileBytes(problem, tile) <= limits.maxComputeWorkgroupStorageSize,
  );
  // Rows of 64 only where measured: texts are often shorter, and what belongs to none is worked on in vain.
  const modest = (tile: Tile) =>
    tile.WORKGROUP_Y <= 8 &&
    attentionTileBytes(problem, tile) <= portableLimits.maxComputeWorkgroupStorageSize;
  // Where a subgroup may have more invocations than the workgroup (64, of AMD), the rest of it would be idle.
  const idle = (tile: Tile) => tile.WORKGROUP_X * tile.WORKGROUP_Y < device.subgroups.maxSize;
  const rank = (tile: Tile) => (modest(tile) ? 0 : 2) + (idle(tile) ? 1 : 0);
  return valid.sort((one, other) => rank(one) - rank(other));
}
