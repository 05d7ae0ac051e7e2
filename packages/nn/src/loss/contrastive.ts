/**
 * The contrastive objective: in-batch InfoNCE over whole embeddings or their first dimensions, at a fixed
 * temperature or a learned one. The loss itself is info-nce.ts.
 */
import type { Graph } from '../graph.js';
import { firstColumns } from '../ops/first-columns.js';
import { GradientSum } from '../ops/gradient-sum.js';
import { learnedScale } from '../ops/learned-scale.js';
import { normalize } from '../ops/pooling.js';
import { columnLossResult, type InfoNceOptions, infoNce, meanLoss, rowLossResult } from './info-nce.js';
import {
  type BatchEmbeddings,
  EmbeddingGradients,
  type EmbeddingView,
  type Gradients,
  type Objective,
  type TiledObjective,
} from './objective.js';

/** Options of {@link contrastive}. */
export interface ContrastiveOptions extends InfoNceOptions {
  /** The loss is over this many first dimensions, normalised again; default: over whole embeddings. */
  readonly dimension?: number;
  /** Normalises whole embeddings first, for models that do not; default: embeddings are taken as they are. */
  readonly normalize?: boolean;
  /** Parameter that holds the logarithm of 1 / temperature, in place of `temperature`. */
  readonly learnedTemperature?: string;
}

/** InfoNCE of queries against candidates; `weight` scales its gradient, default 1. */
export function contrastive(options: ContrastiveOptions): Objective {
  const { dimension, learnedTemperature, weight = 1, direction } = options;
  const suffix = dimension === undefined ? '' : ` in ${dimension} dimensions`;
  const results = [rowLossResult + suffix, columnLossResult + suffix] as const;
  // A learned temperature is in the view.
  const temperature = learnedTemperature === undefined ? options.temperature : 1;
  const tiles: TiledObjective = {
    temperature,
    direction,
    weight,
    suffix,
    view: (g, embeddings) => viewOf(g, embeddings, options, suffix),
  };
  return {
    name: dimension === undefined ? 'contrastive' : `contrastive_${dimension}`,
    weight,
    results,
    tiles,
    emit(g, embeddings) {
      const view = tiles.view(g, embeddings);
      const { queries, candidates } = view.output;
      const emitted = infoNce(g, queries, candidates, tiles, suffix);
      return { backward: (into) => view.backward(into, emitted.backward) };
    },
    value: (reads, counts) => {
      const [row, column] = results.map((name) => reads[name] as Float32Array) as [
        Float32Array,
        Float32Array,
      ];
      return meanLoss(row, column, counts.queries, direction);
    },
  };
}

/** The embeddings, cut and normalised if the options say so; queries divided by the temperature if it is learned. */
function viewOf(
  g: Graph,
  embeddings: BatchEmbeddings,
  { dimension, normalize: whole = false, learnedTemperature }: ContrastiveOptions,
  suffix: string,
): EmbeddingView {
  const cut = dimension === undefined && !whole ? undefined : unitEmbeddings(g, embeddings, dimension);
  const { queries, candidates } = cut?.output ?? embeddings;
  const scaled =
    learnedTemperature === undefined
      ? undefined
      : learnedScale(g, queries, learnedTemperature, `queries over temperature${suffix}`);
  return {
    output: { queries: scaled?.output ?? queries, candidates },
    backward(into, write) {
      const own = cut ? new EmbeddingGradients(g, cut.output) : into;
      if (scaled) {
        const dScaled = new GradientSum(g, 'd queries over temperature', scaled.output);
        write({ queries: dScaled, candidates: own.candidates });
        scaled.backward(dScaled.finish(), own.queries);
      } else {
        write(own);
      }
      cut?.backward(own, into);
    },
  };
}

/** Queries and candidates, or their first dimensions, normalised. */
function unitEmbeddings(g: Graph, embeddings: BatchEmbeddings, dimension?: number) {
  const unitOf = (side: 'queries' | 'candidates') => {
    const whole = embeddings[side];
    const label = `${dimension ?? whole.columns} dimensions of ${side}`;
    const first = dimension === undefined ? undefined : firstColumns(g, whole, dimension, label);
    const unit = normalize(g, first?.output ?? whole, `${label}, normalized`);
    return {
      output: unit.output,
      backward(d: GradientSum, into: GradientSum) {
        const dFirst = unit.backward(d.finish());
        if (first) first.backward(dFirst, into);
        else into.add(dFirst, `d ${label}`);
      },
    };
  };
  const [queries, candidates] = [unitOf('queries'), unitOf('candidates')];
  return {
    output: { queries: queries.output, candidates: candidates.output },
    backward(d: Gradients, into: Gradients) {
      queries.backward(d.queries, into.queries);
      candidates.backward(d.candidates, into.candidates);
    },
  };
}
