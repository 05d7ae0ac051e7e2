/**
 * Training objectives: losses over the sentence embeddings of a batch, and how several share the gradients.
 *
 * Each objective is one file of this folder. Where its feeds come from (masks, teachers, languages) is the
 * trainer's business; how embeddings are made is the encoder's.
 */
import type { Activation, Graph } from '../graph.js';
import { GradientSum } from '../ops/gradient-sum.js';
import type { InfoNceOptions } from './info-nce.js';

/** Embeddings of a batch: queries [Q, D]; candidates [C, D], whose first Q rows are the queries' positives. */
export interface BatchEmbeddings {
  readonly queries: Activation;
  readonly candidates: Activation;
}

/** Live sizes of a batch. */
export interface BatchCounts {
  readonly queries: number;
  readonly candidates: number;
}

/** What was read after a run, by the result's name. */
export type ObjectiveReads = Readonly<Record<string, Float32Array>>;

/** What an objective compares: the embeddings themselves, or something computed from each row. */
export interface EmbeddingView {
  readonly output: BatchEmbeddings;
  /** Lets `write` emit the gradients of `output`, and adds those of the embeddings to `into`. */
  backward(into: Gradients, write: (into: Gradients) => void): void;
}

/** In-batch InfoNCE of a view of the embeddings. */
export interface TiledObjective extends InfoNceOptions {
  /** Ends the names of its statistics; unique in a plan. */
  readonly suffix: string;
  /** Emits what is compared. */
  view(g: Graph, embeddings: BatchEmbeddings): EmbeddingView;
}

/** A loss over the sentence embeddings of a batch: what it emits, and how its value is read. */
export interface Objective {
  /** Names its value in metrics; lower-case words joined by `_`, unique in a plan. */
  readonly name: string;
  /**
   * Weight of its value, and of its gradient, in the batch's loss. 0 for an objective that one part of the
   * model lowers and another raises: its value is reported but is not part of the loss.
   */
  readonly weight: number;
  /** Results that `value` needs. */
  readonly results: readonly string[];
  /**
   * Set if the loss is over the similarities of all queries and candidates, and can be computed by tiles of that
   * matrix (gradient caching). Otherwise the objective's memory grows only with the rows of the batch.
   */
  readonly tiles?: TiledObjective;
  /** Emits the forward dispatches; the returned `backward` adds to the embeddings' gradients. */
  emit(g: Graph, embeddings: BatchEmbeddings): { backward(into: EmbeddingGradients): void };
  /** The value of one batch, unweighted, in double precision. */
  value(reads: ObjectiveReads, counts: BatchCounts): number;
}

/** Where gradients of queries and candidates are written to. */
export type Gradients = Pick<EmbeddingGradients, 'queries' | 'candidates'>;

/** The gradients of a batch's embeddings, in which those of all objectives of a plan add up. */
export class EmbeddingGradients {
  readonly queries: GradientSum;
  readonly candidates: GradientSum;

  constructor(g: Graph, embeddings: BatchEmbeddings) {
    this.queries = new GradientSum(g, 'd query embeddings', embeddings.queries);
    this.candidates = new GradientSum(g, 'd candidate embeddings', embeddings.candidates);
  }
}

/**
 * Emits the forward of every objective; `backward` emits their gradients, in the same order.
 *
 * @throws RangeError if there is none, or two have the same name
 */
export function emitObjectives(
  g: Graph,
  objectives: readonly Objective[],
  embeddings: BatchEmbeddings,
): { backward(): { readonly dQueries: Activation; readonly dCandidates: Activation } } {
  const names = objectives.map(({ name }) => name);
  if (names.length === 0) throw new RangeError('Expected at least one training objective but received none');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new RangeError(`Two training objectives are called '${twice}'`);
  const emitted = objectives.map((objective) => objective.emit(g, embeddings));
  return {
    backward() {
      const gradients = new EmbeddingGradients(g, embeddings);
      for (const objective of emitted) objective.backward(gradients);
      return { dQueries: gradients.queries.finish(), dCandidates: gradients.candidates.finish() };
    },
  };
}

/** The results that the values of objectives need. */
export function objectiveResults(objectives: readonly Objective[]): string[] {
  return [...new Set(objectives.flatMap(({ results }) => results))];
}

/** The loss of a batch and what it is made of. */
export interface ObjectiveValues {
  /** Weighted sum of the values. */
  readonly loss: number;
  /** Each objective's own value, unweighted, by name. */
  readonly values: Readonly<Record<string, number>>;
}

/** Weighs the objectives' values. */
export function weighObjectives(
  objectives: readonly Objective[],
  read: (objective: Objective) => number,
): ObjectiveValues {
  let loss = 0;
  const values: Record<string, number> = {};
  for (const objective of objectives) {
    const value = read(objective);
    values[objective.name] = value;
    // Not `0 * value`, which is NaN where the value is NaN.
    if (objective.weight !== 0) loss += objective.weight * value;
  }
  return { loss, values };
}
