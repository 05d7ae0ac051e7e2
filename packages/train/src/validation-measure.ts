/**
 * A retrieval measure on the validation passages, with the current parameters. The validation loss, which
 * needs no ranking, is the trainer's.
 */
import type { ParallelCollection, TrainingSet } from '@synglot/data';
import {
  DeviceScorer,
  evaluateRetrieval,
  measureNamed,
  profileNamed,
  type RetrievalSummary,
} from '@synglot/eval';
import type { Executor } from '@synglot/gpu';
import { EmbeddingModel, retrievalUse } from '@synglot/models';
import type { ParameterStore } from '@synglot/nn';
import type { ModelParts } from './checkpoints.js';
import { mistakeAt } from './config/places.js';
import type { TrainConfig } from './config.js';
import { heldOutCollection } from './held-out.js';

type ValidationConfig = NonNullable<TrainConfig['validation']>;

const lossMeasure = 'loss';
const distanceMeasure = 'rank-distance';

export interface ValidationMeasureOptions {
  readonly config: TrainConfig;
  readonly collection: ParallelCollection;
  readonly executor: Executor;
  readonly store: ParameterStore;
  readonly parts: ModelParts;
}

/** Whether a lower or a higher value of the measure is better. */
export function betterOf({ measure = lossMeasure }: ValidationConfig): 'lower' | 'higher' {
  return measure === lossMeasure || measure === distanceMeasure ? 'lower' : 'higher';
}

/** What is wrong with the name of a measure, if anything. */
export function measureProblem(measure: string): string | undefined {
  if (measure === lossMeasure || measure === distanceMeasure) return undefined;
  try {
    measureNamed(trecName(measure), profileNamed('trec_eval'));
  } catch (error) {
    const { message } = error as Error;
    return `${message.replace(/\.$/, '')}, or ${lossMeasure}, ${distanceMeasure}, mAP`;
  }
  return undefined;
}

/**
 * What a configuration's measure is computed on; undefined for the loss.
 *
 * @throws TrainError `INPUT_CONFIG` if the validation data lack what the setting needs
 */
export function measureCollection(
  { validation }: TrainConfig,
  set: TrainingSet | undefined,
): ParallelCollection | undefined {
  const { measure = lossMeasure, setting = 'mean', questions = 500 } = validation ?? {};
  if (measure === lossMeasure) return undefined;
  const collection = set && heldOutCollection(set, { name: 'validation', questions });
  const languages = collection?.langs.length ?? 0;
  if (languages === 0 || (languages === 1 && (measure === distanceMeasure || setting !== 'monolingual'))) {
    throw mistakeAt(
      validation!,
      'measure',
      `validation.measure ${measure}: the validation data has ${languages} languages; hold out more, or use measure: loss or setting: monolingual`,
    );
  }
  const lacking = collection && lackingAnswers(collection, measure, setting);
  if (lacking) {
    throw mistakeAt(
      validation!,
      'measure',
      `validation.measure ${measure}: no question of the validation data has ${lacking}; use another setting or measure: loss, or hold out more`,
    );
  }
  return collection;
}

type Has = (lang: string, answers: readonly string[]) => boolean;

/** What a question must have, with the languages of its answers, so that something can be computed for it. */
const needs: Readonly<Record<string, readonly [what: string, has: Has]>> = {
  [distanceMeasure]: ['two answers', (_, answers) => answers.length > 1],
  monolingual: ['an answer in its own language', (lang, answers) => answers.includes(lang)],
  'cross-lingual': ['an answer in another language', (lang, answers) => answers.some((one) => one !== lang)],
  multilingual: ['an answer', (_, answers) => answers.length > 0],
};

/** What every question lacks that one at least must have; undefined if the measure can be computed. */
function lackingAnswers(
  { queries, candidates, relevant }: ParallelCollection,
  measure: string,
  setting: string,
): string | undefined {
  const means = setting === 'mean' ? ['monolingual', 'cross-lingual'] : [setting];
  const questions = queries.map(({ lang }, query) => ({
    lang,
    answers: Array.from(relevant[query]!, (candidate) => candidates[candidate]!.lang),
  }));
  return (measure === distanceMeasure ? [distanceMeasure] : means)
    .map((need) => needs[need]!)
    .find(([, has]) => !questions.some(({ lang, answers }) => has(lang, answers)))?.[0];
}

/** Computes the measure; higher or lower is better as {@link betterOf} says. */
export async function validationMeasure(options: ValidationMeasureOptions): Promise<number> {
  const { config, collection, executor, store, parts } = options;
  const { measure = lossMeasure } = config.validation as ValidationConfig;
  const { text } = config;
  const { query, passage, normalize } = retrievalUse(parts);
  const model = new EmbeddingModel(executor, store, parts);
  const scorer = new DeviceScorer(executor);
  const embed = (items: readonly { readonly text: string }[], prefix: string, maxLength: number) =>
    model.embed(
      items.map((item) => item.text),
      { prefix, maxLength, normalize },
    );
  try {
    const { summary } = await evaluateRetrieval({
      collection,
      queryEmbeddings: await embed(collection.queries, query, text.query_max_length),
      candidateEmbeddings: await embed(collection.candidates, passage, text.passage_max_length),
      dimension: model.dimension,
      scorer,
      measures: measure === distanceMeasure ? [] : [trecName(measure)],
    });
    return measured(summary, config.validation as ValidationConfig);
  } finally {
    scorer.destroy();
    await model.releasePlans();
  }
}

/** Never of nothing: {@link measureCollection} has looked. */
function measured(
  { measures, rank_distance: distance }: RetrievalSummary,
  { measure = lossMeasure, setting = 'mean' }: ValidationConfig,
): number {
  if (measure === distanceMeasure) return distance!;
  const { monolingual, cross_lingual: cross, multilingual } = measures[trecName(measure)]!;
  if (setting === 'monolingual') return monolingual!;
  if (setting === 'cross-lingual') return cross!;
  if (setting === 'multilingual') return multilingual!;
  return (monolingual! + cross! + multilingual!) / 3;
}

/** mAP is the mean of AP. */
function trecName(measure: string): string {
  return measure === 'mAP' ? 'AP' : measure;
}
