/** Training objectives and what they are fed from a batch. The losses themselves are in nn. */
import type { Batch, PackedBatch } from '@synglot/data';
import {
  type BatchCapacity,
  type BatchCounts,
  type ContrastiveOptions,
  contrastive,
  groupsFeed,
  type Objective,
  type ObjectiveReads,
  type ObjectiveValues,
  objectiveResults,
  type ParameterSpec,
  perturbedPass,
  weighObjectives,
} from '@synglot/nn';

/** All that the feeds of an objective may depend on, so that a resumed run has the same. */
export interface ObjectiveContext {
  readonly batch: Batch;
  readonly packed: PackedBatch;
  /** Sizes of the plan that is fed. */
  readonly capacity: BatchCapacity;
  /** Share of the run's updates that are done: 0 … 1. */
  readonly progress: number;
}

/** A parameter that is no part of the model, and the values with which it begins. */
export interface AuxiliaryParameter {
  readonly spec: ParameterSpec;
  readonly initial: Float32Array;
}

/** An objective of nn, with what a batch feeds it. */
export interface TrainObjective {
  readonly objective: Objective;
  /** Parameters that it trains beside the model's. */
  readonly parameters?: readonly AuxiliaryParameter[];
  /** The objective's own feeds; two objectives that feed the same name must agree on the data. */
  feeds?(context: ObjectiveContext): Readonly<Record<string, ArrayBufferView>>;
}

/** The results of a run as floats. */
export function floatReads(reads: Readonly<Record<string, ArrayBuffer>>): ObjectiveReads {
  return Object.fromEntries(Object.entries(reads).map(([name, bytes]) => [name, new Float32Array(bytes)]));
}

/** The loss and every objective's value for a batch, and its `perturbed_loss` if it was perturbed (FGM). */
export function readObjectives(
  objectives: readonly Objective[],
  reads: ObjectiveReads,
  counts: BatchCounts,
  perturbed: boolean,
): ObjectiveValues {
  const clean = weighObjectives(objectives, (objective) => objective.value(reads, counts));
  if (!perturbed) return clean;
  const again = Object.fromEntries(
    objectiveResults(objectives).map((name) => [name, reads[name + perturbedPass] as Float32Array]),
  );
  const { loss } = weighObjectives(objectives, (objective) => objective.value(again, counts));
  return { ...clean, values: { ...clean.values, perturbed_loss: loss } };
}

/** In-batch InfoNCE with the batch's masks. */
export function contrastiveObjective(options: ContrastiveOptions): TrainObjective {
  return masked(contrastive(options));
}

/** An objective that is fed the batch's masks. */
export function masked(objective: Objective): TrainObjective {
  return { objective, feeds: ({ packed }) => ({ [groupsFeed]: packed.groups }) };
}
