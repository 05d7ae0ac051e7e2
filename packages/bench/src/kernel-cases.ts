/** The ops that `kernels.ts` measures: matrix products and attention of an encoder, and what memory bounds. */
import {
  type Activation,
  attention,
  gelu,
  matmulNn,
  matmulNt,
  matmulTn,
  residualLayerNorm,
} from '@synglot/nn';
import type { Element } from './half.js';
import type { CaseTensors, KernelCase } from './kernel-bench.js';

type Inputs = Readonly<Record<string, Float32Array>>;

/**
 * Smaller sizes for software devices, those of XLM-R base with a full batch for others. `half` adds the products and the
 * attention of mixed precision: matrices stored in f16, gradients of weights in f32.
 */
export function kernelCases(software: boolean, half: boolean): KernelCase[] {
  const [square, tokens, hidden, ffn, heads, length] = software
    ? ([512, 1024, 384, 1536, 12, 32] as const)
    : ([4096, 8192, 768, 3072, 12, 64] as const);
  const products = (element: Element) => [
    product('nt', square, square, square, 'square', element),
    product('nn', square, square, square, 'square', element),
    product('tn', square, square, square, 'square', element),
    product('nt', tokens, hidden, hidden, 'projection', element),
    product('nt', tokens, ffn, hidden, 'expansion', element),
    product('nt', tokens, hidden, ffn, 'contraction', element),
    product('nn', tokens, hidden, ffn, 'gradient of the input', element),
    product('tn', ffn, hidden, tokens, 'gradient of the weight', element),
  ];
  const attentions = (element: Element) => [
    attentionCase(tokens, hidden, heads, length, false, element),
    attentionCase(tokens, hidden, heads, length, true, element),
    attentionCase(tokens, hidden, heads, 4 * length, false, element),
  ];
  return [
    ...products('f32'),
    ...(half ? products('f16') : []),
    ...attentions('f32'),
    ...(half ? attentions('f16') : []),
    geluCase(tokens, ffn),
    layerNormCase(tokens, hidden),
  ];
}

function product(
  kind: 'nt' | 'nn' | 'tn',
  m: number,
  n: number,
  k: number,
  what: string,
  element: Element,
): KernelCase {
  const emit = { nt: matmulNt, nn: matmulNn, tn: matmulTn }[kind];
  const label = `matmul ${kind}, ${what}`;
  const a = (i: number, p: number) => (kind === 'tn' ? p * m + i : i * k + p);
  const b = (p: number, j: number) => (kind === 'nt' ? j * k + p : p * n + j);
  const axis = (capacity: number) => ({ capacity, slot: 'all' }) as const;
  const outputElement = kind === 'tn' ? 'f32' : element;
  const bytesOf = { f32: 4, f16: 2 };
  return {
    name: `${label} ${m}×${n}×${k}${element === 'f16' ? ' in f16' : ''}`,
    product: { kind, m, n, k, element },
    element,
    outputElement,
    inputs: { a: kind === 'tn' ? [k, m] : [m, k], b: kind === 'nt' ? [n, k] : [k, n] },
    output: [m, n],
    emit(g, { inputs, output }) {
      const options = { m: axis(m), n: axis(n), k: axis(k), label, accumulate: false };
      emit(g, inputs.a!, inputs.b!, output, options);
    },
    reference(inputs, index) {
      const [i, j] = [Math.floor(index / n), index % n];
      let sum = 0;
      for (let p = 0; p < k; p++) sum += inputs.a![a(i, p)]! * inputs.b![b(p, j)]!;
      return sum;
    },
    tolerance: 1e-5 * k,
    flops: 2 * m * n * k,
    bytes: bytesOf[element] * (m * k + k * n) + bytesOf[outputElement] * m * n,
  };
}

function attentionCase(
  tokens: number,
  hidden: number,
  heads: number,
  length: number,
  backward: boolean,
  element: Element,
): KernelCase {
  const size = hidden / heads;
  const label = `attention ${backward ? 'forward and backward' : 'forward'}`;
  const scale = 1 / Math.sqrt(size);
  const at = (token: number, head: number, i: number) => token * hidden + head * size + i;
  /** Probabilities of one query over its sequence, which begins at `first`. */
  const row = ({ q, k }: Inputs, query: number, first: number, head: number) => {
    const scores = Array.from({ length }, (_, other) => {
      let dot = 0;
      for (let i = 0; i < size; i++) dot += q![at(query, head, i)]! * k![at(first + other, head, i)]!;
      return Math.exp(dot * scale);
    });
    const total = scores.reduce((sum, value) => sum + value, 0);
    return scores.map((value) => value / total);
  };
  const shape = [tokens, hidden];
  return {
    name: `${label}, ${tokens} tokens in texts of ${length}${element === 'f16' ? ' in f16' : ''}`,
    element,
    outputElement: element,
    inputs: { q: shape, k: shape, v: shape, ...(backward ? { dOutput: shape } : {}) },
    feeds: {
      bounds: Uint32Array.from(
        { length: 2 * tokens },
        (_, index) => (Math.floor(index / 2 / length) + (index % 2)) * length,
      ),
    },
    output: shape,
    counts: { tokens },
    emit(g, { inputs, output }: CaseTensors) {
      const axis = { capacity: tokens, slot: 'tokens' } as const;
      const matrix = (name: string): Activation => ({ tensor: inputs[name]!, axis, columns: hidden });
      const result = attention(g, { q: matrix('q'), k: matrix('k'), v: matrix('v') }, inputs.bounds!, {
        heads,
        dropoutRate: 0,
        label,
      });
      const { tensor } = backward ? result.backward(matrix('dOutput')).dV : result.output;
      g.plan.copy(tensor, output);
    },
    // Forward: one output. Backward: one element of the values' gradient.
    reference(inputs, index) {
      const [token, column] = [Math.floor(index / hidden), index % hidden];
      const [head, i] = [Math.floor(column / size), column % size];
      const first = Math.floor(token / length) * length;
      if (!backward) {
        return row(inputs, token, first, head).reduce(
          (sum, p, other) => sum + p * inputs.v![at(first + other, head, i)]!,
          0,
        );
      }
      let sum = 0;
      for (let query = first; query < first + length; query++) {
        sum += row(inputs, query, first, head)[token - first]! * inputs.dOutput![at(query, head, i)]!;
      }
      return sum;
    },
    // Weighted means of values below 1; matrix units round the weights to half precision.
    tolerance: element === 'f16' ? 1e-4 + 2 ** -10 : 1e-4,
    // Two products forward; scores again and four more backward.
    flops: 2 * tokens * length * hidden * (backward ? 7 : 2),
    bytes: (element === 'f16' ? 2 : 4) * tokens * hidden * (backward ? 12 : 4),
  };
}

function geluCase(tokens: number, columns: number): KernelCase {
  const axis = { capacity: tokens, slot: 'tokens' } as const;
  return {
    name: `gelu forward, ${tokens}×${columns}`,
    inputs: { x: [tokens, columns] },
    output: [tokens, columns],
    counts: { tokens },
    emit(g, { inputs, output }) {
      g.plan.copy(gelu(g, { tensor: inputs.x!, axis, columns }, 'gelu').output.tensor, output);
    },
    reference: ({ x }, index) => 0.5 * x![index]! * (1 + erf(x![index]! / Math.SQRT2)),
    tolerance: 1e-6,
    // One vector read and one written; operations of erf are not counted.
    flops: 0,
    bytes: 8 * tokens * columns,
  };
}

function layerNormCase(tokens: number, columns: number): KernelCase {
  const axis = { capacity: tokens, slot: 'tokens' } as const;
  return {
    name: `residual and layer norm, ${tokens}×${columns}`,
    inputs: { x: [tokens, columns], residual: [tokens, columns] },
    parameters: { 'norm.weight': [columns], 'norm.bias': [columns] },
    output: [tokens, columns],
    counts: { tokens },
    emit(g, { inputs, output }) {
      const matrix = (name: string) => ({ tensor: inputs[name]!, axis, columns });
      const options = { name: 'norm', epsilon: 1e-12, dropoutRate: 0, label: 'norm' };
      g.plan.copy(residualLayerNorm(g, matrix('x'), matrix('residual'), options).output.tensor, output);
    },
    reference(inputs, index) {
      const [token, column] = [Math.floor(index / columns), index % columns];
      const sums = Array.from({ length: columns }, (_, j) => {
        return inputs.x![token * columns + j]! + inputs.residual![token * columns + j]!;
      });
      const mean = sums.reduce((total, value) => total + value, 0) / columns;
      const variance = sums.reduce((total, value) => total + (value - mean) ** 2, 0) / columns;
      const normal = (sums[column]! - mean) / Math.sqrt(variance);
      return normal * inputs['norm.weight']![column]! + inputs['norm.bias']![column]!;
    },
    tolerance: 1e-5,
    flops: 0,
    // Two matrices read, the sum and the result written.
    bytes: 16 * tokens * columns,
  };
}

/** erf by its series: enough terms for |x| below 1. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 40; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
