/**
 * Which learning-rate scale and weight decay each parameter has: groups by name, and layer-wise decay.
 *
 * One function decides for every parameter; the optimiser only asks it. The learning rate itself changes
 * from step to step and is fed.
 */
import type { ParameterSpec } from '../parameters.js';
import { matchesPattern } from './parameter-patterns.js';

/** Parameters with settings of their own, like torch.optim's parameter groups. */
export interface ParameterGroup {
  /** Patterns of names; see `matchesPattern`. A parameter belongs to the first group that names it. */
  readonly parameters: readonly string[];
  /** The group's learning rate divided by the run's; replaces what layer-wise decay would give. */
  readonly learningRateScale?: number;
  /** Applies to everything that the group names, biases too. */
  readonly weightDecay?: number;
}

/** Which parameters decay, and which have settings of their own. */
export interface ParameterGroupOptions {
  /** For parameters whose group does not set its own. */
  readonly weightDecay: number;
  /**
   * Which parameters decay: `all`, as torch.optim does with one group, or `matrices`, as
   * transformers' Trainer does (biases and layer norms do not decay).
   */
  readonly decay: 'all' | 'matrices';
  readonly groups?: readonly ParameterGroup[];
  /**
   * Layer-wise decay of the learning rate, default 1: the pooling head and the last layer learn at the
   * full rate, each layer below at `layerDecay` times the rate of the one above, the embeddings at
   * `layerDecay` times that of the first layer.
   *
   * Howard & Ruder 2018 (discriminative fine-tuning, 1/2.6), Sun et al. 2019 (How to Fine-Tune BERT,
   * section 5.3.4: 0.95), Clark et al. 2020 (ELECTRA: 0.8, with another origin of depth).
   */
  readonly layerDecay?: number;
  /** How many updates the run had made when a parameter was first trained, by name; default 0. */
  readonly updatesBefore?: Readonly<Record<string, number>>;
}

/** What the update of one parameter needs to know. */
export interface ParameterSettings {
  /** Multiplies the step's learning rate. */
  readonly learningRateScale: number;
  readonly weightDecay: number;
  /** Updates that the optimiser does not count for this parameter, because it was frozen. */
  readonly updatesBefore: number;
}

/** Whether two parameters may be updated together. */
export function sameSettings(a: ParameterSettings, b: ParameterSettings): boolean {
  return (
    a.learningRateScale === b.learningRateScale &&
    a.weightDecay === b.weightDecay &&
    a.updatesBefore === b.updatesBefore
  );
}

/** Settings by parameter name; parameters with equal settings may be updated together. */
export function parameterGroups(
  specs: readonly ParameterSpec[],
  options: ParameterGroupOptions,
): (name: string) => ParameterSettings {
  const { weightDecay, decay, groups = [], layerDecay = 1, updatesBefore = {} } = options;
  const layers = Math.max(0, ...specs.map(({ name }) => layerOf(name) + 1));
  const settings = new Map<string, ParameterSettings>();
  for (const { name, shape, learningRateScale, decays = true } of specs) {
    const group = groups.find(({ parameters }) => parameters.some((each) => matchesPattern(each, name)));
    settings.set(name, {
      learningRateScale:
        group?.learningRateScale ?? learningRateScale ?? layerDecay ** depthBelowTop(name, layers),
      weightDecay:
        group?.weightDecay ?? (decays && (decay === 'all' || decaysAsMatrix(name, shape)) ? weightDecay : 0),
      updatesBefore: updatesBefore[name] ?? 0,
    });
  }
  return (name) => {
    const found = settings.get(name);
    if (!found) throw new RangeError(`The model has no parameter '${name}'`);
    return found;
  };
}

/** Layers between a parameter and the top: 0 for the last layer and what follows it. */
function depthBelowTop(name: string, layers: number): number {
  if (name.startsWith('embeddings.')) return layers;
  const layer = layerOf(name);
  return layer < 0 ? 0 : layers - 1 - layer;
}

/** Index of the encoder layer that a parameter is in, or -1. */
function layerOf(name: string): number {
  return Number(/^encoder\.layer\.(\d+)\./.exec(name)?.[1] ?? -1);
}

/** transformers' rule: everything but biases and layer-norm weights. */
function decaysAsMatrix(name: string, shape: readonly number[]): boolean {
  return shape.length > 1 && !name.endsWith('.bias') && !name.includes('LayerNorm');
}
