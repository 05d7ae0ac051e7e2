/** From a configuration to the objectives of its run, and from their values to lines of metrics. */
import type { ObjectiveValues } from '@synglot/nn';
import type { TrainConfig } from './config.js';
import { contrastiveObjective, type TrainObjective } from './objectives.js';
import type { StepMetrics } from './trainer.js';

/** The objectives that the sections of a configuration ask for, in the order in which gradients add up. */
export function runObjectives(config: TrainConfig): TrainObjective[] {
  return [contrastiveObjective(config.loss)];
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
