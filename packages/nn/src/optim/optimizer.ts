/** The update: global-norm clipping decided on the device, then AdamW or SGD, tensor by tensor. */
import type { PlanBuilder, Tensor } from '@synglot/gpu';
import type { ParameterLayout, ParameterPart } from '../parameters.js';
import { type ParameterGroupOptions, parameterGroups } from './parameter-groups.js';

export interface AdamWOptions {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export interface SgdOptions {
  readonly kind: 'sgd';
  readonly weightDecay: number;
}

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

/** Result with the gradient norm before clipping and the factor that was applied. */
export const clipResult = 'clip';

/** Kinds of buffers that an optimiser needs beside `parameter` and `gradient`. */
export function optimizerState(options: OptimizerOptions): string[] {
  return options.method.kind === 'adamw' ? ['first moment', 'second moment'] : [];
}

const workgroupSize = 64;
const elementsPerPartial = 1024;

/** Emits the update of every trainable parameter; `external` gives the tensor of a kind and part. */
export function emitUpdate(
  plan: PlanBuilder,
  layout: ParameterLayout,
  external: (kind: string, part: ParameterPart) => Tensor,
  options: OptimizerOptions,
): void {
  const parts = layout.partsOf('gradient');
  if (parts.length === 0) throw new RangeError('Every parameter is frozen: there is nothing to train');
  const clip = emitClip(plan, parts, external, options.maxGradientNorm);
  const settings = parameterGroups(layout.specs, { ...options, weightDecay: options.method.weightDecay });
  for (const part of parts) {
    const { learningRateScale, weightDecay } = settings(part.name);
    const gradient = external('gradient', part);
    const parameter = external('parameter', part);
    const common = {
      label: `update ${part.key}`,
      workgroups: [Math.max(1, Math.min(4096, Math.ceil(part.elements / 4 / workgroupSize)))] as const,
    };
    const params = {
      elements: part.elements,
      weight_decay: weightDecay,
      learning_rate_scale: learningRateScale,
    };
    if (options.method.kind === 'adamw') {
      const { beta1, beta2, epsilon } = options.method;
      plan.dispatch('adamw', {
        ...common,
        bindings: {
          gradient,
          clip,
          parameter,
          first_moment: external('first moment', part),
          second_moment: external('second moment', part),
        },
        params: { ...params, beta_1: beta1, beta_2: beta2, epsilon },
      });
    } else {
      plan.dispatch('sgd', { ...common, bindings: { gradient, clip, parameter }, params });
    }
  }
}

function emitClip(
  plan: PlanBuilder,
  parts: readonly ParameterPart[],
  external: (kind: string, part: ParameterPart) => Tensor,
  maxNorm: number,
): Tensor {
  let count = 0;
  const ranges = parts.map((part) => {
    const workgroups = Math.max(
      1,
      Math.min(256, Math.ceil(part.elements / elementsPerPartial / workgroupSize)),
    );
    const first = count;
    count += workgroups * workgroupSize;
    return { part, first, workgroups };
  });
  const partials = plan.transient('squared norm partials', [count]);
  for (const { part, first, workgroups } of ranges) {
    plan.dispatch('sum_of_squares_partial', {
      label: `squared norm of d ${part.key}`,
      bindings: { x: external('gradient', part), partials },
      params: { elements: part.elements, first_partial: first },
      workgroups: [workgroups],
    });
  }
  const clip = plan.result(clipResult, [2]);
  plan.dispatch('clip_factor', {
    label: 'clip factor',
    bindings: { partials, clip },
    params: { partials: count, maximum_norm: maxNorm },
    workgroups: [1],
  });
  return clip;
}
