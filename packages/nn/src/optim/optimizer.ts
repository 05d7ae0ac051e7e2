/** The update: global-norm clipping decided on the device, then AdamW or SGD, slab by slab. */
import type { Tensor } from '@synglot/gpu';
import type { Graph } from '../graph.js';
import { squaredNormConstants } from '../ops/row-kernels.js';
import { halfKind, type ParameterLayout, type ParameterPart } from '../parameters.js';
import {
  type ParameterGroupOptions,
  type ParameterSettings,
  parameterGroups,
  sameSettings,
} from './parameter-groups.js';

/** AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) with the arithmetic of torch.optim.AdamW. */
export interface AdamWOptions {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Gradient descent as torch.optim.SGD without momentum: the decay is added to the gradient. */
export interface SgdOptions {
  readonly kind: 'sgd';
  readonly weightDecay: number;
}

/** The optimiser, its clipping and its groups of parameters. */
export interface OptimizerOptions extends Omit<ParameterGroupOptions, 'weightDecay'> {
  readonly method: AdamWOptions | SgdOptions;
  /** Gradients are scaled down to this global norm; 0 turns clipping off. */
  readonly maxGradientNorm: number;
}

/** torch.optim.AdamW's defaults, with the weight decay of the hybrid-batch paper. */
export const defaultAdamW: AdamWOptions = {
  kind: 'adamw',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
};

/**
 * Result of three: the gradient norm before clipping; the factor that was applied; 1 if a gradient
 * was infinite or NaN, in which case nothing was updated, else 0.
 */
export const clipResult = 'clip';

/** What `clipResult` says about an update's gradients. */
export interface Clipping {
  /** Global norm before clipping; NaN after an overflow. */
  readonly norm: number;
  /** A gradient was infinite or NaN: nothing was updated. */
  readonly overflow: boolean;
}

/** Reads `clipResult`. */
export function readClipping(bytes: ArrayBuffer): Clipping {
  const [norm, , overflowed] = new Float32Array(bytes) as unknown as [number, number, number];
  const overflow = overflowed !== 0;
  return { norm: overflow ? Number.NaN : norm, overflow };
}

/** Kinds of buffers that an optimiser needs beside `parameter` and `gradient`. */
export function optimizerState(options: OptimizerOptions): string[] {
  return options.method.kind === 'adamw' ? ['first moment', 'second moment'] : [];
}

const workgroupSize = 64;
/** Most workgroups of one dispatch; beyond that an invocation strides. */
const mostWorkgroups = 4096;
/** Least number of vectors of four that one invocation sums, if there are that many. */
const vectorsPerPartial = 4;
/** Most partial sums of one slab: one workgroup adds them all up. */
const mostPartials = 1024;

/** Neighbours in a slab that are updated with the same settings: elements [begin, end). */
interface Run {
  readonly slab: number;
  readonly begin: number;
  readonly end: number;
  readonly parts: readonly ParameterPart[];
  readonly settings: ParameterSettings;
}

/**
 * Emits the update of every trainable parameter, one dispatch for neighbours with equal settings, and in mixed
 * precision of the copies of the weights.
 */
export function emitUpdate(g: Graph, options: OptimizerOptions): void {
  const { layout } = g;
  const slabs = layout.slabsOf('gradient');
  if (slabs.length === 0) throw new RangeError('Every parameter is frozen: there is nothing to train');
  const clip = emitClip(g, options.maxGradientNorm);
  const settingsOf = parameterGroups(layout.specs, { ...options, weightDecay: options.method.weightDecay });
  for (const slab of slabs) {
    for (const run of splitRuns(slab, settingsOf)) emitRun(g, run, options.method, clip);
  }
  emitRanges(g);
  if (g.precision === 'mixed') castWeights(g, new Set(slabs.map(({ index }) => index)));
}

function emitRun(
  g: Graph,
  { slab, begin, end, parts, settings }: Run,
  method: AdamWOptions | SgdOptions,
  clip: Tensor,
): void {
  const range = (kind: string) => g.slabRange(kind, slab, begin, end);
  const elements = end - begin;
  const common = {
    label: `update ${parts[0]?.key}${parts.length > 1 ? ` and ${parts.length - 1} more` : ''}`,
    workgroups: [workgroupsFor(elements)] as const,
  };
  const bindings = { gradient: range('gradient'), clip, parameter: range('parameter') };
  const params = {
    elements,
    weight_decay: settings.weightDecay,
    learning_rate_scale: settings.learningRateScale,
  };
  if (method.kind === 'sgd') {
    g.plan.dispatch('sgd', { ...common, bindings, params });
    return;
  }
  const { beta1, beta2, epsilon } = method;
  g.plan.dispatch('adamw', {
    ...common,
    bindings: { ...bindings, first_moment: range('first moment'), second_moment: range('second moment') },
    params: {
      ...params,
      beta_2: beta2,
      new_share_1: 1 - beta1,
      new_share_2: 1 - beta2,
      epsilon,
      updates_before: settings.updatesBefore,
      log_beta_1: logOf(beta1),
      log_beta_2: logOf(beta2),
    },
  });
}

/** Emits the copying of weights to half precision: of some slabs, or of all. */
export function castWeights(g: Graph, only?: ReadonlySet<number>): void {
  for (const { index, elements } of g.layout.slabsOf(halfKind)) {
    if (only && !only.has(index)) continue;
    g.plan.dispatch('cast_to_half', {
      label: `half of parameter slab ${index}`,
      bindings: {
        x: g.slabRange('parameter', index, 0, elements),
        y: g.slabRange(halfKind, index, 0, elements),
      },
      params: { elements },
      workgroups: [workgroupsFor(elements)],
    });
  }
}

/** Emits the clamping of parameters that have a range. */
function emitRanges(g: Graph): void {
  for (const { name, range } of g.layout.specsOf('gradient')) {
    if (!range) continue;
    for (const { part, tensor } of g.parts('parameter', name)) {
      g.plan.dispatch('clamp', {
        label: `range of ${part.key}`,
        bindings: { x: tensor },
        params: { elements: part.elements, minimum: range[0], maximum: range[1] },
        workgroups: [Math.ceil(part.elements / workgroupSize)],
      });
    }
  }
}

/** Emits the clearing of every gradient, slab by slab. */
export function clearGradients(g: Graph): void {
  for (const { index, elements } of g.layout.slabsOf('gradient')) {
    g.plan.clear(g.slabRange('gradient', index, 0, elements));
  }
}

/** ln x, finite at 0: WGSL may assume that there is no infinity, and e⁻¹⁰⁰ is 0 beside 1. */
function logOf(x: number): number {
  return Math.max(-100, Math.log(x));
}

function splitRuns(
  { index, elements, parts }: ReturnType<ParameterLayout['slabsOf']>[number],
  settingsOf: (name: string) => ParameterSettings,
): Run[] {
  const runs: { parts: ParameterPart[]; begin: number; settings: ParameterSettings }[] = [];
  for (const part of parts) {
    const settings = settingsOf(part.name);
    const last = runs.at(-1);
    if (last && sameSettings(last.settings, settings)) last.parts.push(part);
    else runs.push({ parts: [part], begin: part.offsetElements, settings });
  }
  // A run reaches up to the next one: what lies between them is zero, and is updated to zero.
  return runs.map((run, place) => ({ ...run, slab: index, end: runs[place + 1]?.begin ?? elements }));
}

function workgroupsFor(elements: number): number {
  return Math.max(1, Math.min(mostWorkgroups, Math.ceil(elements / 4 / workgroupSize)));
}

function emitClip(g: Graph, maxNorm: number): Tensor {
  const { plan } = g;
  let count = 0;
  const ranges = g.layout.slabsOf('gradient').map(({ index, elements }) => {
    const workgroups = Math.min(workgroupsFor(Math.ceil(elements / vectorsPerPartial)), mostPartials);
    const first = count;
    count += workgroups;
    return { index, elements, first, workgroups };
  });
  const partials = plan.transient('squared norm partials', [count]);
  for (const { index, elements, first, workgroups } of ranges) {
    plan.dispatch('sum_of_squares_partial', {
      label: `squared norm of gradient slab ${index}`,
      constants: squaredNormConstants(g.device),
      bindings: { x: g.slabRange('gradient', index, 0, elements), partials },
      params: { elements, first_partial: first },
      workgroups: [workgroups],
    });
  }
  const clip = plan.result(clipResult, [3]);
  plan.dispatch('clip_factor', {
    label: 'clip factor',
    bindings: { partials, clip },
    params: { partials: count, maximum_norm: maxNorm },
    workgroups: [1],
  });
  return clip;
}
