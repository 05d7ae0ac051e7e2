/**
 * Measures the candidates of a shape class. The search is bounded: few candidates, few runs, and no more runs of a
 * candidate whose first one is far behind.
 *
 * What is computed, and by which candidates, is the business of `tune-matmul.ts` and `tune-attention.ts`; where a table
 * is kept is the caller's. A candidate that the device refuses, or whose results differ from the plainest one's, is left
 * out and reported: there is a table for every device, whatever is wrong with its driver.
 */
import { type DeviceBuffer, type Executor, GpuError, type Plan } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { packStep, type StepValues } from '../axis.js';
import type { KernelChoice } from '../ops/kernel-choice.js';

/** How candidates are timed. */
export interface TuneOptions {
  /** Timed runs of a candidate; the fastest counts. Default 3. */
  readonly runs?: number;
  /** Candidates whose first run takes this many times the best one's are not run again. Default 2. */
  readonly giveUpAt?: number;
  /** Called after each class with what was tried. */
  readonly onTuned?: (result: TunedClass) => void;
}

/** What tuning found for one class of problems. */
export interface TunedClass {
  /** Key of the table: `matmulShapeClass` or `attentionShapeClass` of the problem. */
  readonly shapeClass: string;
  readonly choice: KernelChoice;
  /** Those whose results are right, in the candidates' order. */
  readonly tried: readonly { readonly choice: KernelChoice; readonly seconds: number }[];
  readonly leftOut: readonly { readonly choice: KernelChoice; readonly why: string }[];
}

/** Choices by shape class, as `DeviceTraits.kernelChoices` takes them. */
export type TuningTable = Record<string, KernelChoice>;

/** What the candidates of a class are run and compared on. */
export interface Trial {
  readonly shapeClass: string;
  readonly candidates: readonly KernelChoice[];
  /** Data of the plan's externals. */
  readonly inputs: Readonly<Record<string, Float32Array | Uint32Array | Uint16Array>>;
  /** The plan's results that are compared, and how they are stored. */
  readonly results: Readonly<Record<string, ElementChoice>>;
  /** Live counts of the run. */
  readonly counts: StepValues['counts'];
  /** Allowed difference between two candidates. */
  readonly tolerance: number;
  plan(choice: KernelChoice): Plan;
}

/**
 * Tries every candidate of every task.
 *
 * @throws Error if the plainest candidate of one fails
 */
export async function tuneTasks<Task>(
  executor: Executor,
  tasks: readonly Task[],
  trialOf: (task: Task) => Trial,
  options: TuneOptions,
): Promise<TuningTable> {
  const table: TuningTable = {};
  for (const task of tasks) {
    const tuned = await runTrial(executor, trialOf(task), options);
    table[tuned.shapeClass] = tuned.choice;
    options.onTuned?.(tuned);
  }
  return table;
}

async function runTrial(
  executor: Executor,
  trial: Trial,
  { runs = 3, giveUpAt = 2 }: TuneOptions,
): Promise<TunedClass> {
  const { shapeClass, candidates } = trial;
  const buffers = new Map<string, DeviceBuffer>();
  const tried: { choice: KernelChoice; seconds: number }[] = [];
  const leftOut: { choice: KernelChoice; why: string }[] = [];
  try {
    for (const [name, data] of Object.entries(trial.inputs)) {
      const buffer = executor.createBuffer(name, data.byteLength);
      buffers.set(name, buffer);
      executor.write(buffer, data);
    }
    const plainest =
      candidates.find(({ kernel }) => !strategy.test(kernel)) ?? (candidates[0] as KernelChoice);
    const expected = (await time(executor, trial, buffers, plainest, 0, 0)).results;
    let best = Number.POSITIVE_INFINITY;
    for (const choice of candidates) {
      try {
        const { seconds, results } = await time(executor, trial, buffers, choice, runs, best * giveUpAt);
        const why = disagreement(results, expected, trial.tolerance);
        if (why) {
          leftOut.push({ choice, why });
          continue;
        }
        tried.push({ choice, seconds });
        best = Math.min(best, seconds);
      } catch (error) {
        if (!(error instanceof GpuError) || error.code === 'DEVICE_LOST') throw error;
        leftOut.push({ choice, why: error.message.split('\n')[0] as string });
      }
    }
  } finally {
    for (const buffer of buffers.values()) buffer.destroy();
  }
  if (tried.length === 0) throw new Error(`${shapeClass}: ${leftOut[0]?.why ?? 'no candidates'}`);
  const fastest = tried.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  return { shapeClass, choice: fastest.choice, tried, leftOut };
}

/** Ends of the names of kernels that are not the plainest of their kind. */
const strategy = /_(subgroup|workgroup|subgroup_matrix)$/;

function disagreement(
  results: readonly Float32Array[],
  expected: readonly Float32Array[],
  tolerance: number,
): string | undefined {
  const differences = results.map((result, i) => largestDifference(result, expected[i] as Float32Array));
  // Written so that NaN fails.
  const wrong = differences.find((difference) => !(difference <= tolerance));
  return wrong === undefined
    ? undefined
    : `differs by ${wrong} from the plainest kernel (allowed ${tolerance})`;
}

// Pages and Node have it; this package sees the types of neither.
declare const performance: { now(): number };

/** How long a GPU works on a candidate before it is timed. */
const warmUpMs = 50;

async function time(
  executor: Executor,
  trial: Trial,
  buffers: ReadonlyMap<string, DeviceBuffer>,
  choice: KernelChoice,
  runs: number,
  giveUpSeconds: number,
): Promise<{ seconds: number; results: readonly Float32Array[] }> {
  const plan = trial.plan(choice);
  const compiled = await executor.compile(plan, buffers);
  const feeds = plan.stepBuffer < 0 ? {} : { step: packStep({ counts: trial.counts }) };
  try {
    const { reads } = await compiled.run({ feeds, reads: Object.keys(trial.results) });
    const results = Object.entries(trial.results).map(([name, type]) => {
      const bytes = reads[name] as ArrayBuffer;
      return type === 'f16' ? fromHalves(new Uint16Array(bytes)) : new Float32Array(bytes);
    });
    // A GPU that idled while results were compared is slow at first: all candidates should be timed warm.
    const warm = Date.now() + (executor.device.type === 'cpu' || runs === 0 ? 0 : warmUpMs);
    while (Date.now() < warm) await compiled.run({ feeds });
    let seconds = Number.POSITIVE_INFINITY;
    for (let run = 0; run < runs; run++) {
      const begin = performance.now();
      const { timings } = await compiled.run({ feeds, profile: true });
      const wall = (performance.now() - begin) / 1000;
      const device = (timings ?? []).reduce((sum, { timeNs }) => sum + timeNs, 0) / 1e9;
      seconds = Math.min(seconds, device || wall);
      if (seconds > giveUpSeconds) break;
    }
    return { seconds, results };
  } finally {
    compiled.destroy();
  }
}

/** Values in [-1/4, 1/4), multiples of 2⁻⁸: exact in f16, as which they are returned if `type` says so. */
export function smallValues(count: number, type: ElementChoice, seed: number): Float32Array | Uint16Array {
  return type === 'f16' ? halves(count, seed) : floats(count, seed);
}

function floats(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  let state = seed;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[index] = ((state >>> 25) - 64) / 256;
  }
  return values;
}

/** The same values as f16 bits. */
function halves(count: number, seed: number): Uint16Array {
  const bits = new Uint16Array(count + (count % 2));
  const view = new DataView(new ArrayBuffer(4));
  floats(count, seed).forEach((value, index) => {
    view.setFloat32(0, value);
    const f32 = view.getUint32(0);
    // Exact: 7 significant bits, exponents from -8 to -2, or zero.
    bits[index] = value === 0 ? 0 : ((f32 >>> 16) & 0x8000) | (((f32 >>> 13) & 0x3ffff) - (112 << 10));
  });
  return bits;
}

/** Numbers by their bits: results are large, and to look a value up is much faster than to compute it. */
let valueOfHalf: Float32Array | undefined;

function fromHalves(bits: Uint16Array): Float32Array {
  valueOfHalf ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => halfValue(half));
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++)
    values[index] = valueOfHalf[bits[index] as number] as number;
  return values;
}

function halfValue(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return exponent === 31 ? Number.NaN : half & 0x8000 ? -size : size;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let worst = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs((a[index] as number) - (b[index] as number));
    if (!(difference <= worst)) worst = difference;
    if (Number.isNaN(worst)) return worst;
  }
  return worst;
}
