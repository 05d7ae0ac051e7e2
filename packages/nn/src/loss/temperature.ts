/** A learned temperature: its parameter, and the objective that reports it. The loss is contrastive.ts. */
import type { ParameterSpec } from '../parameters.js';
import type { Objective } from './objective.js';

/** Parameter whose first element is the logarithm of 1 / temperature; the update's kernels work on four at a time. */
export const temperatureParameter = 'contrastive.log_inverse_temperature';
const temperatureResult = 'log inverse temperature';

/** Options of {@link learnedTemperature}. */
export interface LearnedTemperatureOptions {
  /** Where it starts. CLIP: 0.07. */
  readonly initial: number;
  /** Bounds that it is kept within after every update. CLIP: at least 0.01. */
  readonly least: number;
  readonly most: number;
  /** Its learning rate divided by the run's. */
  readonly learningRateScale?: number;
}

/**
 * A temperature that is trained with the model, as a logarithm, so that a step changes it by a factor.
 *
 * Radford et al. 2021 (CLIP, arXiv 2103.00020, section 2.5): logit_scale, started at log(1 / 0.07), clipped
 * so that logits are never scaled by more than 100, without weight decay.
 */
export function learnedTemperature(options: LearnedTemperatureOptions): {
  readonly spec: ParameterSpec;
  readonly initial: Float32Array;
  readonly objective: Objective;
} {
  const { initial, least, most, learningRateScale = 1 } = options;
  return {
    spec: {
      name: temperatureParameter,
      shape: [4],
      auxiliary: true,
      decays: false,
      learningRateScale,
      range: [Math.log(1 / most), Math.log(1 / least)],
    },
    initial: new Float32Array(4).fill(Math.log(1 / initial)),
    objective: {
      name: 'temperature',
      weight: 0,
      results: [temperatureResult],
      emit(g) {
        g.plan.copy(g.parameter(temperatureParameter), g.result(temperatureResult, [4]));
        return { backward: () => undefined };
      },
      value: (reads) => Math.exp(-(reads[temperatureResult]?.[0] as number)),
    },
  };
}
