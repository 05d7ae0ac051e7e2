/**
 * What can compute a matrix product on a device: kernels with their tiles, best guess first.
 *
 * Decides from the device's traits, never by measuring; a tuner may measure the candidates and hand its
 * choices back as `DeviceTraits.kernelChoices`. Emits nothing: that is `matmul.ts`.
 *
 * An axis whose live size changes from step to step counts as long whatever its capacity, so that the same
 * kernels run, and the same bits come out, in every capacity bucket.
 */
import { type ElementChoice, type KernelName, kernelConstant } from '@synglot/kernels';
import type { Axis } from '../axis.js';
import type { DeviceTraits } from '../graph.js';
import { type KernelChoice, tunedChoice } from './kernel-choice.js';
import { matrixShapes } from './matmul-matrix-tiles.js';
import { matrixUnits } from './matrix-units.js';
import { portableLimits } from './portable-limits.js';

/** n: as stored, t: transposed, of left and right; then what is done to the sums. */
export type MatmulProduct =
  | 'matmul_nt'
  | 'matmul_nt_bias'
  | 'matmul_nt_bias_gelu'
  | 'matmul_nn'
  | 'matmul_nn_gelu_backward'
  | 'matmul_tn';

/** What the kernel of a product is chosen by. */
export interface MatmulProblem {
  readonly product: MatmulProduct;
  readonly m: Axis;
  readonly n: Axis;
  readonly k: Axis;
  /** How a and b are stored, and c. */
  readonly element: ElementChoice;
  readonly output: ElementChoice;
}

/** A kernel and its tile. */
export type MatmulChoice = KernelChoice;

type Strategy = '' | '_subgroup' | '_workgroup' | '_subgroup_matrix';

/** Rows or columns that an axis counts for which is not always full. */
const longAxis = 4096;
/** Tiles that keep a large GPU busy (an H200 has 132 multiprocessors). */
const enoughTiles = 128;
/** k of one part where k is worked through in parts, and the largest c, in elements, for which it may be. */
const partOfK = 1024;
const maxPartElements = 2 ** 20;

/**
 * All that is valid for a product on a device, never nothing: plain kernels run everywhere. The first is what runs
 * unless a table says otherwise.
 */
export function matmulCandidates(device: DeviceTraits, problem: MatmulProblem): MatmulChoice[] {
  const make = (strategy: Strategy, tiles: readonly MatmulChoice['constants'][]) =>
    tiles.map((constants) => ({ kernel: `${problem.product}${strategy}` as KernelName, constants }));
  const registers = make('', registerTiles(device));
  // What pays there is not to load twice; a GELU in registers only takes long to compile.
  const subgroup = problem.product.includes('gelu') ? [] : make('_subgroup', subgroupTiles(device));
  const workgroup = make('_workgroup', workgroupTiles(device));
  const matrix = make('_subgroup_matrix', matrixTiles(device, problem));
  if (device.type === 'cpu') return [...subgroup, ...registers, ...workgroup, ...matrix];
  const inParts = (choices: MatmulChoice[]) => choices.flatMap((choice) => splitK(device, choice, problem));
  const whole = [...inOrder(matrix, problem), ...inOrder(workgroup, problem)];
  const parts = [...inOrder(inParts(matrix), problem), ...inOrder(inParts(workgroup), problem)];
  const panels = partsPay(parts[0], whole[0], problem) ? [...parts, ...whole] : [...whole, ...parts];
  return [...panels, ...registers, ...subgroup];
}

/** What runs: the choice of the device's table if it is among the candidates, else the first of them. */
export function pickMatmul(device: DeviceTraits, problem: MatmulProblem): MatmulChoice {
  const candidates = matmulCandidates(device, problem);
  return tunedChoice(device, matmulShapeClass(problem), candidates) ?? (candidates[0] as MatmulChoice);
}

/** Key of a table of choices: products that share a choice. Live axes are `*`, others powers of two. */
export function matmulShapeClass({ product, m, n, k, element, output }: MatmulProblem): string {
  const size = ({ capacity, slot }: Axis) =>
    slot === 'all' ? 2 ** Math.ceil(Math.log2(Math.max(1, capacity))) : '*';
  return `${product} ${size(m)}x${size(n)}x${size(k)} ${element} ${output}`;
}

/** Rows and columns of c that a workgroup makes. */
export function matmulTile({ kernel, constants }: MatmulChoice): { rows: number; columns: number } {
  const of = (name: string) => kernelConstant(kernel, name, constants);
  if (kernel.endsWith('_subgroup_matrix')) {
    return {
      rows: of('SUBGROUPS_M') * of('FRAGMENTS_M') * of('MATRIX_M'),
      columns: of('SUBGROUPS_N') * of('FRAGMENTS_N') * of('MATRIX_N'),
    };
  }
  if (kernel.endsWith('_workgroup')) {
    return {
      rows: 4 * of('ROW_BLOCKS') * of('WORKGROUP_Y'),
      columns: 4 * of('COLUMN_BLOCKS') * of('WORKGROUP_X'),
    };
  }
  const columns = kernel.endsWith('_subgroup') ? of('LOADS') * of('PARTS') : of('COLUMN_BLOCKS');
  return { rows: 4 * of('ROW_BLOCKS') * of('WORKGROUP_X'), columns: 4 * columns };
}

/** SwiftShader keeps no more than 4 × 4 blocks in registers. */
function registerTiles({ type, subgroups }: DeviceTraits): MatmulChoice['constants'][] {
  const large = { WORKGROUP_X: 8, ROW_BLOCKS: 2, COLUMN_BLOCKS: 2 };
  const small = { WORKGROUP_X: 8, ROW_BLOCKS: 1, COLUMN_BLOCKS: 1 };
  return type === 'cpu' && subgroups.maxSize < 8 ? [small, large] : [large, small];
}

/** One load for several invocations pays on software devices, which load lane by lane. */
function subgroupTiles({ subgroups, subgroupMatrixConfigs }: DeviceTraits): MatmulChoice['constants'][] {
  if (subgroups.minSize < 4) return [];
  if (subgroups.minSize < 8) return [{ WORKGROUP_X: 4, ROW_BLOCKS: 2, LOADS: 8, PARTS: 1 }];
  const WORKGROUP_X = Math.max(8, subgroups.maxSize);
  const [low, high] = [
    { WORKGROUP_X, ROW_BLOCKS: 1, LOADS: 3, PARTS: 2 },
    { WORKGROUP_X, ROW_BLOCKS: 2, LOADS: 3, PARTS: 2 },
  ] as const;
  // The lavapipe that has matrix units (26) compiles to twice as many registers' worth without spilling.
  return subgroupMatrixConfigs?.length ? [high, low] : [low, high];
}

/** Panels in workgroup memory: 128 × 128, 64 × 64 and 32 × 32 of c. */
function workgroupTiles(device: DeviceTraits): MatmulChoice['constants'][] {
  const limits = device.limits ?? portableLimits;
  const tiles = [
    { WORKGROUP_X: 16, WORKGROUP_Y: 16, ROW_BLOCKS: 2, COLUMN_BLOCKS: 2, STEP_K: 8 },
    { WORKGROUP_X: 16, WORKGROUP_Y: 16, ROW_BLOCKS: 2, COLUMN_BLOCKS: 2, STEP_K: 16 },
    { WORKGROUP_X: 16, WORKGROUP_Y: 16, ROW_BLOCKS: 1, COLUMN_BLOCKS: 1, STEP_K: 16 },
    { WORKGROUP_X: 8, WORKGROUP_Y: 8, ROW_BLOCKS: 2, COLUMN_BLOCKS: 2, STEP_K: 16 },
    { WORKGROUP_X: 8, WORKGROUP_Y: 8, ROW_BLOCKS: 1, COLUMN_BLOCKS: 1, STEP_K: 16 },
  ];
  return tiles.filter(({ WORKGROUP_X, WORKGROUP_Y, ROW_BLOCKS, COLUMN_BLOCKS, STEP_K }) => {
    const quads = ROW_BLOCKS * WORKGROUP_Y + 1 + (COLUMN_BLOCKS * WORKGROUP_X + 1);
    return (
      WORKGROUP_X * WORKGROUP_Y <= limits.maxComputeInvocationsPerWorkgroup &&
      STEP_K * quads * 16 <= limits.maxComputeWorkgroupStorageSize
    );
  });
}

/** Tiles for all matrix units that serve. */
function matrixTiles(device: DeviceTraits, { product, element }: MatmulProblem): MatmulChoice['constants'][] {
  return matrixUnits(device, element).flatMap(({ config, subgroupSize, pin }) =>
    matrixShapes(device, product, config, subgroupSize).map((shape) => ({ ...shape, ...pin })),
  );
}

/** Tiles that are enough in number before those that are not, larger before smaller. */
function inOrder(choices: readonly MatmulChoice[], problem: MatmulProblem): MatmulChoice[] {
  const enough = (choice: MatmulChoice) => countTiles(choice, problem) >= enoughTiles;
  return [...choices.filter(enough), ...choices.filter((choice) => !enough(choice)).reverse()];
}

function countTiles(choice: MatmulChoice, { m, n, k }: MatmulProblem): number {
  const { rows, columns } = matmulTile(choice);
  const size = ({ capacity, slot }: Axis) => (slot === 'all' ? capacity : longAxis);
  const perPart = Number(choice.constants.K_PER_PART ?? size(k));
  return Math.ceil(size(m) / rows) * Math.ceil(size(n) / columns) * Math.ceil(size(k) / perPart);
}

/** Parts of k pay where they let larger tiles keep the device busy, or where nothing else does. */
function partsPay(
  inParts: MatmulChoice | undefined,
  whole: MatmulChoice | undefined,
  problem: MatmulProblem,
): boolean {
  if (!inParts || !whole) return false;
  const area = (choice: MatmulChoice) => matmulTile(choice).rows * matmulTile(choice).columns;
  return area(inParts) > area(whole) || countTiles(whole, problem) < enoughTiles;
}

/** The same with k in parts, for gradients of weights: a small c, and k as long as the batch. */
function splitK(device: DeviceTraits, choice: MatmulChoice, problem: MatmulProblem): MatmulChoice[] {
  const { product, m, n, k } = problem;
  const elements = m.capacity * n.capacity;
  const { maxStorageBufferBindingSize } = device.limits ?? portableLimits;
  if (product !== 'matmul_tn' || problem.output !== 'f32' || k.slot === 'all') return [];
  if (elements > maxPartElements || m.slot !== 'all' || n.slot !== 'all') return [];
  if (Math.ceil(k.capacity / partOfK) * elements * 4 > maxStorageBufferBindingSize) return [];
  return [{ ...choice, constants: { ...choice.constants, K_PER_PART: partOfK } }];
}
