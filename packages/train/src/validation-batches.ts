/** The batches of the validation loss: drawn as those of the training are, but from what is held out. */
import {
  type Batch,
  BatchSampler,
  DataError,
  type NamedWeights,
  normaliseLanguage,
  type SamplerOptions,
  type SourceWeighting,
  type TrainingSet,
} from '@synglot/data';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';

/**
 * The same held-out batches at every validation.
 *
 * @param options of the training; of what they name, `set` may lack something
 * @throws TrainError `INPUT_CONFIG` if too little is held out for a batch
 */
export function validationBatches(
  set: TrainingSet | undefined,
  options: SamplerOptions,
  config: TrainConfig,
): Batch[] {
  if (!set || !config.validation) return [];
  try {
    const { alpha: _alpha, modeWeights: _weights, onlyPairs: _pairs, ...rest } = options;
    const own: SamplerOptions =
      config.validation.langs?.length === 1 ? { ...rest, mode: 'monolingual' } : options;
    const sampler = new BatchSampler(set, {
      ...withinSet(own, set),
      seed: options.seed + 1,
      onTooFew: 'leave-out',
    });
    return Array.from({ length: config.validation.batches }, () => sampler.next());
  } catch (error) {
    if (!(error instanceof DataError) || !['INPUT_BATCH', 'INPUT_OPTION'].includes(error.code)) throw error;
    throw new TrainError(
      'INPUT_CONFIG',
      `validation.fraction ${config.validation.fraction} holds out ${set.items.length} questions: ${error.message}, or hold out more`,
      { cause: error },
    );
  }
}

/** Options that name only what the set has: a small part of the data may lack a data set, a domain or a language. */
function withinSet(options: SamplerOptions, set: TrainingSet): SamplerOptions {
  const { datasets, domains, onlyPairs } = options;
  const named = (names: readonly string[], of: 'dataset' | 'domain') =>
    [...new Set(set.items.map((item) => item[of]))].map((index) => names[index]!);
  const isIn = (text: readonly number[], lang: string) =>
    text.some((row) => set.rows[row]!.lang === normaliseLanguage(lang));
  return {
    ...options,
    ...(datasets ? { datasets: weightsOf(datasets, named(set.datasets, 'dataset')) } : {}),
    ...(domains ? { domains: weightsOf(domains, named(set.domains, 'domain')) } : {}),
    ...(onlyPairs
      ? {
          onlyPairs: onlyPairs.filter(([x, y]) =>
            set.items.some(
              ({ query, passage }) => isIn(set.queries[query]!, x) && isIn(set.passages[passage]!, y),
            ),
          ),
        }
      : {}),
  };
}

function weightsOf(weighting: SourceWeighting, names: readonly string[]): SourceWeighting {
  if (typeof weighting === 'string' || !('weights' in weighting)) return weighting;
  const own = (weights: NamedWeights): NamedWeights =>
    Object.fromEntries(names.map((name) => [name, weights[name] ?? 0]));
  const { weights } = weighting;
  if (!Array.isArray(weights)) return { weights: own(weights as NamedWeights) };
  return { weights: weights.map(([step, values]) => [step, own(values)] as const) };
}
