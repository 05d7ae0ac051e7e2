/** From a configuration to the objectives of its run, and from their values to lines of metrics. */
import {
  type ContrastiveOptions,
  contrastive,
  learnedTemperature,
  matryoshka,
  type ObjectiveValues,
  temperatureParameter,
} from '@synglot/nn';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { masked, type TrainObjective } from './objectives.js';
import type { StepMetrics } from './trainer.js';

/** What of a model and its data objectives depend on. */
export interface ObjectiveSetting {
  /** Of the embeddings. */
  readonly dimension: number;
}

/**
 * The objectives that the sections of a configuration ask for, in the order in which gradients add up.
 *
 * @throws TrainError `INPUT_CONFIG` where a section does not fit the model or the data
 */
export function runObjectives(config: TrainConfig, setting: ObjectiveSetting): TrainObjective[] {
  return contrastiveObjectives(config, setting);
}

function contrastiveObjectives(
  { loss, matryoshka: nested }: TrainConfig,
  { dimension }: ObjectiveSetting,
): TrainObjective[] {
  const { temperature, direction, weight, learnable_temperature: range } = loss;
  const options: ContrastiveOptions = {
    temperature,
    direction,
    weight,
    ...(range ? { learnedTemperature: temperatureParameter } : {}),
  };
  const wrong = nested?.dimensions.find((each) => each > dimension || each % 4 !== 0);
  if (wrong !== undefined) {
    throw new TrainError(
      'INPUT_CONFIG',
      `matryoshka.dimensions: expected multiples of 4 up to ${dimension}, which the model's embeddings have, but received ${wrong}`,
    );
  }
  const weights = nested?.weights ? { weights: nested.weights } : {};
  const objectives = nested
    ? matryoshka({ dimensions: nested.dimensions, ...weights }, options)
    : [contrastive(options)];
  if (!range) return objectives.map(masked);
  const { least, most, learning_rate_scale: learningRateScale } = range;
  const learned = learnedTemperature({ initial: temperature, least, most, learningRateScale });
  const { spec, initial, objective } = learned;
  return [...objectives.map(masked), { objective, parameters: [{ spec, initial }] }];
}

/** One column an objective, beside the weighted loss. */
export function metricsLine({ objectives, step, loss, ...rest }: StepMetrics): object {
  return { step, loss, ...objectives, ...rest };
}

/** The same for held-out batches. */
export function validationLine(step: number, { loss, values }: ObjectiveValues): object {
  const columns = Object.entries(values).map(([name, value]) => [`validation_${name}`, value]);
  return { step, validation_loss: loss, ...Object.fromEntries(columns) };
}
