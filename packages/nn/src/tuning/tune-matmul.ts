/**
 * Measures what computes each matrix product fastest on a device. The search is bounded: few candidates, few runs, and
 * none that its first run shows to be far behind.
 *
 * The candidates and the key of the table come from `ops/matmul-candidates.ts`; where a table is kept is the
 * caller's business. Every candidate's result is compared with the first one's before its time counts.
 */
import type { DeviceBuffer, Executor } from '@synglot/gpu';
import { type Axis, packStep } from '../axis.js';
import { type DeviceTraits, Graph } from '../graph.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import {
  type MatmulChoice,
  type MatmulProblem,
  matmulCandidates,
  matmulShapeClass,
} from '../ops/matmul-candidates.js';
import { ParameterLayout } from '../parameters.js';

export interface TuneOptions {
  /** Timed runs of a candidate; the fastest counts. Default 3. */
  readonly runs?: number;
  /** Candidates whose first run takes this many times the best one's are not run again. Default 2. */
  readonly giveUpAt?: number;
  /** Told after each class: what was tried, in seconds. */
  readonly onTuned?: (result: TunedClass) => void;
}

export interface TunedClass {
  /** `matmulShapeClass` of the problem. */
  readonly shapeClass: string;
  readonly choice: MatmulChoice;
  readonly tried: readonly { readonly choice: MatmulChoice; readonly seconds: number }[];
}

/** Choices by shape class, as `DeviceTraits.matmulChoices` takes them. */
export type TuningTable = Record<string, MatmulChoice>;

/**
 * The distinct products that plans are made of, in the order in which they first occur; of a class the largest.
 *
 * @param build makes the plans for the given traits
 */
export function collectMatmuls(device: DeviceTraits, build: (device: DeviceTraits) => void): MatmulProblem[] {
  const found = new Map<string, MatmulProblem>();
  const size = ({ m, n, k }: MatmulProblem) => m.capacity * n.capacity * k.capacity;
  build({
    ...device,
    onMatmul(problem) {
      const key = matmulShapeClass(problem);
      const known = found.get(key);
      if (!known || size(known) < size(problem)) found.set(key, problem);
    },
  });
  return [...found.values()];
}

/**
 * Tries every candidate of every problem.
 *
 * @throws Error if a candidate computes something else than the first one
 */
export async function tuneMatmuls(
  executor: Executor,
  problems: readonly MatmulProblem[],
  options: TuneOptions = {},
): Promise<TuningTable> {
  const table: TuningTable = {};
  for (const problem of problems) {
    const tuned = await tuneOne(executor, problem, options);
    table[tuned.shapeClass] = tuned.choice;
    options.onTuned?.(tuned);
  }
  return table;
}

async function tuneOne(
  executor: Executor,
  problem: MatmulProblem,
  { runs = 3, giveUpAt = 2 }: TuneOptions,
): Promise<TunedClass> {
  const shapeClass = matmulShapeClass(problem);
  const operands = new Operands(executor, problem);
  const tried: { choice: MatmulChoice; seconds: number }[] = [];
  let expected: Float32Array | undefined;
  let best = Number.POSITIVE_INFINITY;
  try {
    for (const choice of matmulCandidates(executor.device, problem)) {
      const { seconds, result } = await operands.time(choice, runs, best * giveUpAt);
      expected ??= result;
      const worst = largestDifference(result, expected);
      // Sums of different order, stored as f16 at worst. Written so that NaN fails.
      if (!(worst <= operands.tolerance)) {
        throw new Error(
          `${shapeClass}: ${choice.kernel} ${JSON.stringify(choice.constants)} differs by ${worst} from the first candidate (allowed ${operands.tolerance})`,
        );
      }
      tried.push({ choice, seconds });
      best = Math.min(best, seconds);
    }
  } finally {
    operands.destroy();
  }
  const fastest = tried.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  return { shapeClass, choice: fastest.choice, tried };
}

/** The matrices of one problem on the device, filled with small values. */
class Operands {
  readonly #executor: Executor;
  readonly #problem: MatmulProblem;
  readonly #buffers = new Map<string, DeviceBuffer>();
  /** Allowed difference between two orders of summing values below 1/4. */
  readonly tolerance: number;

  constructor(executor: Executor, problem: MatmulProblem) {
    this.#executor = executor;
    this.#problem = problem;
    const { product, m, n, k, element, output } = problem;
    const [rows, columns, inner] = [m.capacity, n.capacity, k.capacity];
    this.tolerance = inner * (output === 'f16' ? 2 ** -13 : 2 ** -20) + (element === 'f16' ? 2 ** -8 : 0);
    const add = (name: string, elements: number, type: string, seed: number) => {
      const bytes = Math.ceil((elements * (type === 'f16' ? 2 : 4)) / 4) * 4;
      const buffer = executor.createBuffer(name, bytes);
      this.#buffers.set(name, buffer);
      executor.write(buffer, type === 'f16' ? halves(elements, seed) : floats(elements, seed));
    };
    add('a', rows * inner, element, 1);
    add('b', inner * columns, element, 2);
    if (product.startsWith('matmul_nt_bias')) add('bias', columns, 'f32', 3);
    if (product.includes('gelu')) add('x', rows * columns, output, 4);
  }

  async time(
    choice: MatmulChoice,
    runs: number,
    giveUpSeconds: number,
  ): Promise<{ seconds: number; result: Float32Array }> {
    const plan = this.#plan(choice);
    const compiled = await this.#executor.compile(plan, this.#buffers);
    const { m, n, k } = this.#problem;
    const live = [m, n, k].filter(({ slot }) => slot !== 'all').map(({ slot, capacity }) => [slot, capacity]);
    const feeds = plan.stepBuffer < 0 ? {} : { step: packStep({ counts: Object.fromEntries(live) }) };
    try {
      const { reads } = await compiled.run({ feeds, reads: ['c'] });
      const bytes = reads.c as ArrayBuffer;
      const result =
        this.#problem.output === 'f16' ? fromHalves(new Uint16Array(bytes)) : new Float32Array(bytes);
      let seconds = Number.POSITIVE_INFINITY;
      for (let run = 0; run < runs; run++) {
        const begin = Date.now();
        const { timings } = await compiled.run({ feeds, profile: true });
        const wall = (Date.now() - begin) / 1000;
        const device = (timings ?? []).reduce((sum, { timeNs }) => sum + timeNs, 0) / 1e9;
        seconds = Math.min(seconds, device || wall);
        if (seconds > giveUpSeconds) break;
      }
      return { seconds, result };
    } finally {
      compiled.destroy();
    }
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
  }

  #plan(choice: MatmulChoice) {
    const { product, m, n, k, element, output } = this.#problem;
    const device = { ...this.#executor.device, matmulChoices: { [matmulShapeClass(this.#problem)]: choice } };
    const g = new Graph(`tune ${choice.kernel}`, new ParameterLayout([], 2 ** 31), false, device);
    const matrix = (name: string, rows: Axis, columns: Axis, type: 'f32' | 'f16') =>
      g.plan.external(name, [rows.capacity, columns.capacity], type);
    const a = product === 'matmul_tn' ? matrix('a', k, m, element) : matrix('a', m, k, element);
    const b = product.startsWith('matmul_nt') ? matrix('b', n, k, element) : matrix('b', k, n, element);
    const c = g.plan.result('c', [m.capacity, n.capacity], output);
    const options = { m, n, k, label: product, accumulate: false };
    if (product === 'matmul_tn') matmulTn(g, a, b, c, options);
    else if (product === 'matmul_nn') matmulNn(g, a, b, c, options);
    else if (product === 'matmul_nn_gelu_backward')
      matmulNn(g, a, b, c, { ...options, beforeGelu: matrix('x', m, n, output) });
    else if (product === 'matmul_nt') matmulNt(g, a, b, c, options);
    else {
      const bias = g.plan.external('bias', [n.capacity]);
      const gelu = product === 'matmul_nt_bias_gelu' ? { beforeGelu: matrix('x', m, n, output) } : {};
      const { accumulate: _, ...withBias } = options;
      matmulNt(g, a, b, c, { ...withBias, bias, ...gelu });
    }
    return g.plan.build();
  }
}

/** Values in [-1/4, 1/4), multiples of 2⁻⁸: exact in f16. */
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

function fromHalves(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return exponent === 31 ? Number.NaN : half & 0x8000 ? -size : size;
  });
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
