/**
 * Measures which kernel, with which tile, computes each matrix product fastest on a device.
 *
 * The candidates and the key of the table come from `ops/matmul-candidates.ts`; how they are compared is in `trial.ts`.
 */
import type { Executor } from '@synglot/gpu';
import type { Axis } from '../axis.js';
import { type DeviceTraits, Graph } from '../graph.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import {
  type MatmulChoice,
  type MatmulProblem,
  matmulCandidates,
  matmulShapeClass,
} from '../ops/matmul-candidates.js';
import { ParameterLayout } from '../parameters.js';
import { smallValues, type Trial, type TuneOptions, type TuningTable, tuneTasks } from './trial.js';

/**
 * The distinct products in plans, in the order in which they first occur; the largest of each class.
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
 * @throws Error if the plainest candidate of one fails
 */
export function tuneMatmuls(
  executor: Executor,
  problems: readonly MatmulProblem[],
  options: TuneOptions = {},
): Promise<TuningTable> {
  return tuneTasks(executor, problems, (problem) => matmulTrial(executor.device, problem), options);
}

function matmulTrial(device: DeviceTraits, problem: MatmulProblem): Trial {
  const { product, m, n, k, element, output } = problem;
  const [rows, columns, inner] = [m.capacity, n.capacity, k.capacity];
  const live = [m, n, k].filter(({ slot }) => slot !== 'all').map(({ slot, capacity }) => [slot, capacity]);
  return {
    shapeClass: matmulShapeClass(problem),
    candidates: matmulCandidates(device, problem),
    inputs: {
      a: smallValues(rows * inner, element, 1),
      b: smallValues(inner * columns, element, 2),
      ...(product.startsWith('matmul_nt_bias') ? { bias: smallValues(columns, 'f32', 3) } : {}),
      ...(product.includes('gelu') ? { x: smallValues(rows * columns, output, 4) } : {}),
    },
    results: { c: output },
    counts: Object.fromEntries(live),
    // Two orders of summing values below 1/4, stored as f16 at worst.
    tolerance: inner * (output === 'f16' ? 2 ** -13 : 2 ** -20) + (element === 'f16' ? 2 ** -8 : 0),
    plan: (choice) => matmulPlan(device, problem, choice),
  };
}

function matmulPlan(traits: DeviceTraits, problem: MatmulProblem, choice: MatmulChoice) {
  const { product, m, n, k, element, output } = problem;
  const device = { ...traits, kernelChoices: { [matmulShapeClass(problem)]: choice } };
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
