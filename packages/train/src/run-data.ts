/** From a configuration to training and validation data and the sampler's options. */
import { stat } from 'node:fs/promises';
import {
  type Batch,
  BatchSampler,
  DataError,
  holdOut,
  type Pair,
  type SamplerOptions,
  type TrainingSet,
  TrainingSetBuilder,
} from '@synglot/data';
import { openTrainingData, type TrainingSource } from '@synglot/data/files';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';

/** Reads every source; passages that are held out go to validation with all their questions. */
export async function readData(config: TrainConfig, onNotice: (line: string) => void) {
  const training = new TrainingSetBuilder();
  const validation = new TrainingSetBuilder();
  const share = config.validation?.fraction ?? 0;
  let held = 0;
  let total = 0;
  for (const source of config.data) {
    await checkPath(source.path);
    for await (const pair of openTrainingData(toSource(source))) {
      const side =
        share > 0 && holdOut(heldOutKey(pair), share, config.training.seed) ? validation : training;
      side.add(pair);
      total += 1;
      if (side === validation) held += 1;
    }
  }
  if (total === 0)
    throw new TrainError(
      'INPUT_CONFIG',
      `no pairs in ${config.data.map((source) => source.path).join(', ')}; check langs and limit`,
    );
  if (share > 0 && held === 0)
    onNotice(`validation.fraction ${share} holds out none of ${total} pairs: no validation`);
  return { training: training.build(), validation: held > 0 ? validation.build() : undefined };
}

/** Runs what reads or samples; the options that an error names are then called as in a configuration. */
export async function inTermsOfConfig<T>(where: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const message = error.message.replace(/`[^`]*`/g, (option) =>
      option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    throw new DataError(error.code, `${where}${message}`, { cause: error });
  }
}

/** Every question of a passage, in every language, falls on one side. */
function heldOutKey(pair: Pair): string {
  return `${pair.passage.dataset}\n${pair.passage.parallelId}`;
}

function toSource(source: TrainConfig['data'][number]): TrainingSource {
  const camel = Object.entries(source).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(camel) as TrainingSource;
}

async function checkPath(path: string): Promise<void> {
  await stat(path).catch(() => {
    throw new TrainError(
      'INPUT_CONFIG',
      `data path ${path}: no such file or folder (relative paths start at the current folder)`,
    );
  });
}

/** The sampler's options in its own names. */
export function toSamplerOptions(config: TrainConfig): SamplerOptions {
  const { sampling } = config;
  return {
    batchSize: sampling.batch_size,
    seed: config.training.seed,
    mode: sampling.mode,
    languages: sampling.languages,
    datasets: sampling.datasets,
    domains: sampling.domains,
    homogeneousDataset: sampling.homogeneous_dataset,
    languagePair: sampling.language_pair,
    onTooFew: sampling.on_too_few,
    ...(sampling.alpha === undefined ? {} : { alpha: sampling.alpha }),
    ...(sampling.mode_weights === undefined
      ? {}
      : { modeWeights: sampling.mode_weights as NonNullable<SamplerOptions['modeWeights']> }),
    ...(sampling.only_pairs === undefined ? {} : { onlyPairs: sampling.only_pairs }),
    ...(sampling.negatives === undefined ? {} : { negatives: sampling.negatives }),
  };
}

/** The same held-out batches at every validation. */
export function validationBatches(
  set: TrainingSet | undefined,
  options: SamplerOptions,
  config: TrainConfig,
): Batch[] {
  if (!set || !config.validation) return [];
  try {
    const sampler = new BatchSampler(set, { ...options, seed: options.seed + 1, onTooFew: 'leave-out' });
    return Array.from({ length: config.validation.batches }, () => sampler.next());
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== 'INPUT_BATCH') throw error;
    throw new TrainError(
      'INPUT_CONFIG',
      `validation.fraction ${config.validation.fraction} holds out ${set.items.length} questions: ${error.message}, or hold out more`,
      { cause: error },
    );
  }
}
