/**
 * The plans of objectives over a whole batch's embeddings, which are kept on the device (gradient caching), all in one
 * run. Objectives over the similarities of all queries and candidates are in loss-tile-plan.ts.
 */
import type { Plan } from '@synglot/gpu';
import { type DeviceTraits, Graph } from '../graph.js';
import { embeddingGradientsExternal, embeddingsExternal } from '../loss/info-nce-tile.js';
import { emitObjectives, type Objective } from '../loss/objective.js';
import { readRows, writeRows } from '../ops/copy-rows.js';
import { ParameterLayout } from '../parameters.js';

/** Options of {@link buildEmbeddingLossPlan}. */
export interface EmbeddingLossPlanOptions {
  /** At least one; none with `tiles`. */
  readonly objectives: readonly Objective[];
  /** Has the objectives' own parameters. */
  readonly layout: ParameterLayout;
  /** The device that kernels are chosen for; by default those that run everywhere. */
  readonly device?: DeviceTraits;
  /** Capacity of the batch: queries and candidates together; also that of either side. */
  readonly rows: number;
  readonly dimension: number;
  /** `backward` adds to the gradients of the embeddings and of the objectives' parameters. */
  readonly mode: 'evaluate' | 'backward';
}

/** The step's `begins` say where queries (0) and candidates begin. Results: those of the objectives. */
export function buildEmbeddingLossPlan(options: EmbeddingLossPlanOptions): Plan {
  const { objectives, layout, rows, dimension, mode } = options;
  const training = mode === 'backward';
  const g = new Graph(`${mode} ${rows} embeddings`, layout, training, options.device);
  const whole = g.plan.external(embeddingsExternal, [rows, dimension]);
  const side = (slot: 'queries' | 'candidates', begin: 'first' | 'second') => {
    const part = g.activation(`embeddings of ${slot}`, { capacity: rows, slot }, dimension);
    readRows(g, whole, begin, part, `embeddings of ${slot}`);
    return part;
  };
  const embeddings = { queries: side('queries', 'first'), candidates: side('candidates', 'second') };
  const emitted = emitObjectives(g, objectives, embeddings);
  if (training) {
    const { dQueries, dCandidates } = emitted.backward();
    const into = g.plan.external(embeddingGradientsExternal, [rows, dimension]);
    writeRows(g, dQueries, into, 'first', { accumulate: true, label: 'd query embeddings' });
    writeRows(g, dCandidates, into, 'second', { accumulate: true, label: 'd candidate embeddings' });
  }
  return g.plan.build();
}

/** Sets the gradients of the embeddings to zero. */
export function buildClearEmbeddingGradientsPlan(rows: number, dimension: number): Plan {
  const g = new Graph('clear embedding gradients', new ParameterLayout([], 0), true);
  g.plan.clear(g.plan.external(embeddingGradientsExternal, [rows, dimension]));
  return g.plan.build();
}
