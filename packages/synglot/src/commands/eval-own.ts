/** `synglot eval CONFIG`: a user's own data as a collection: what a configuration holds out, or pairs of another file. */
import type { ParallelCollection } from '@synglot/data';
import { EvaluationError } from '@synglot/eval';
import {
  heldOutCollection,
  heldOutOf,
  inTermsOfConfig,
  readConfig,
  readData,
  type TrainConfig,
  TrainError,
} from '@synglot/train';
import type { EvalOptions } from './eval.js';
import { withWholeData } from './given-config.js';

/** What only benchmarks have. */
const ofBenchmarks = {
  task: '--task',
  suite: '--suite',
  split: '--split',
  corpusLang: '--corpus-lang',
  predictions: '--predictions',
  context: '--context',
  store: '--store',
} as const satisfies { readonly [K in keyof EvalOptions]?: string };

/** A collection, and what of the configuration the model's texts take where nothing else is said. */
export interface OwnCollection {
  readonly config: TrainConfig;
  readonly collection: ParallelCollection;
}

/** @throws TrainError, DataError, EvaluationError for what cannot be read, or leaves nothing to evaluate on */
export async function readOwn(path: string, options: EvalOptions): Promise<OwnCollection> {
  const names = Object.entries(ofBenchmarks) as [keyof EvalOptions, string][];
  const given = names.find(([key]) => options[key] !== undefined);
  if (given !== undefined) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${given[1]} is for benchmarks, and not for the data of ${path}; leave one of them out`,
    );
  }
  const config = await readConfig(path, options.set);
  const collection =
    options.data === undefined ? await heldOut(path, config) : await pairsOf(options.data, config);
  return { config, collection: options.langs ? collection.subset(options.langs) : collection };
}

/** What the configuration keeps from training. */
async function heldOut(path: string, config: TrainConfig): Promise<ParallelCollection> {
  const { fraction = 0 } = config.hold_out ?? {};
  const data = fraction > 0 ? await inTermsOfConfig('', () => readData(config, console.error)) : undefined;
  const collection = data && heldOutOf(config, data);
  if (collection) return collection;
  throw new TrainError(
    'INPUT_CONFIG',
    `${path}: nothing is held out from training: add \`hold_out: { fraction: 0.1 }\` before it, or give pairs of their own with --data`,
  );
}

/** All pairs of a file that is laid out as the configuration's first source. */
async function pairsOf(file: string, config: TrainConfig): Promise<ParallelCollection> {
  const { limit: _limit, ...source } = config.data[0]!;
  const own = { ...withWholeData(config), data: [{ ...source, path: file }] };
  const { training } = await inTermsOfConfig('', () => readData(own, console.error));
  const collection = heldOutCollection(training, { name: file });
  if (collection) return collection;
  throw new EvaluationError(
    'INPUT_COLLECTION',
    `${file}: no language has both questions and passages, so there is nothing to evaluate`,
  );
}
