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
  { validation }: TrainConfig,
): Batch[] {
  if (!set || !validation) return [];
  const heldOut = `validation.fraction ${validation.fraction} holds out ${set.items.length} questions`;
  const { alpha: _alpha, modeWeights: _weights, onlyPairs: _pairs, ...rest } = options;
  const own: SamplerOptions = validation.langs?.length === 1 ? { ...rest, mode: 'monolingual' } : options;
  const within = withinSet(own, set, heldOut);
  try {
    const sampler = new BatchSampler(set, { ...within, seed: options.seed + 1, onTooFew: 'leave-out' });
    return Array.from({ length: validation.batches }, () => sampler.next());
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== 'INPUT_BATCH') throw error;
    throw new TrainError('INPUT_CONFIG', `${heldOut}: ${error.message}, or hold out more`, { cause: error });
  }
}

/** Options that name only what the set has: a small part of the data may lack a data set, a domain or a language. */
function withinSet(options: SamplerOptions, set: TrainingSet, heldOut: string): SamplerOptions {
  const { datasets, domains, onlyPairs } = options;
  const none = (what: string) =>
    new TrainError('INPUT_CONFIG', `${heldOut}, none of them ${what}; hold out more`);
  const isIn = (text: readonly number[], lang: string) =>
    text.some((row) => set.rows[row]!.lang === normaliseLanguage(lang));
  const pairs = onlyPairs?.filter(([x, y]) =>
    set.items.some(({ query, passage }) => isIn(set.queries[query]!, x) && isIn(set.passages[passage]!, y)),
  );
  if (pairs?.length === 0 && options.mode !== 'monolingual')
    throw none('in a language pair of sampling.only_pairs');
  const weighted = (weighting: SourceWeighting, names: readonly string[], of: 'dataset' | 'domain') => {
    const present = [...new Set(set.items.map((item) => names[item[of]]!))];
    const within = weightsOf(weighting, present);
    if (within === undefined) throw none(`among what sampling.${of}s.weights draws at every step`);
    return within;
  };
  return {
    ...options,
    ...(datasets ? { datasets: weighted(datasets, set.datasets, 'dataset') } : {}),
    ...(domains ? { domains: weighted(domains, set.domains, 'domain') } : {}),
    ...(pairs ? { onlyPairs: pairs } : {}),
  };
}

/** The weights of these names alone; undefined if at some step none of them has one. */
function weightsOf(weighting: SourceWeighting, names: readonly string[]): SourceWeighting | undefined {
  if (typeof weighting === 'string' || !('weights' in weighting)) return weighting;
  const own = (weights: NamedWeights): NamedWeights =>
    Object.fromEntries(names.map((name) => [name, weights[name] ?? 0]));
  const { weights } = weighting;
  const hasOne = (values: NamedWeights) => Object.values(values).some((weight) => weight > 0);
  if (Array.isArray(weights)) {
    const within = weights.map(([step, values]) => [step, own(values)] as const);
    return within.every(([, values]) => hasOne(values)) ? { weights: within } : undefined;
  }
  const within = own(weights as NamedWeights);
  return hasOne(within) ? { weights: within } : undefined;
}
