/**
 * What of a configuration depends on the model's shape alone. It is checked before data are read and before the
 * tokenizer of a model with random weights is trained, for both may take long.
 */
import type { Checkpoint } from '@synglot/models';
import { type EncoderConfig, embeddingDimension, encoderParameters } from '@synglot/nn';
import { mistakeAt } from './config/places.js';
import type { TrainConfig } from './config.js';
import { freezingPhases } from './freezing.js';
import { checkPatterns } from './parameter-names.js';
import { adaptedEncoder } from './run-adapter.js';
import { objectiveParameterNames } from './run-objectives.js';

/** All that the checks need of a model: known of one with random weights before there is one. */
export type ModelShape = Pick<Checkpoint, 'config' | 'pooling' | 'maxLength'>;

/** The model's encoder with the run's adapter and dropout. @throws TrainError `INPUT_CONFIG` */
export function runEncoder(own: EncoderConfig, config: TrainConfig): EncoderConfig {
  const encoder = adaptedEncoder(own, config);
  const { dropout } = config.training;
  return dropout === undefined ? encoder : { ...encoder, hiddenDropout: dropout, attentionDropout: dropout };
}

/** @throws TrainError `INPUT_CONFIG` for whatever does not fit a model of this shape */
export function checkModelShape(config: TrainConfig, { config: own, pooling, maxLength }: ModelShape): void {
  const encoder = runEncoder(own, config);
  checkDropoutViews(config, encoder);
  checkChunks(config, maxLength);
  checkDimensions(config, embeddingDimension(encoder, pooling));
  const parameters = encoderParameters(encoder, pooling);
  freezingPhases(config, parameters);
  const names = [...parameters.map(({ name }) => name), ...objectiveParameterNames(config)];
  for (const [index, group] of (config.optimizer.groups ?? []).entries()) {
    checkPatterns(`optimizer.groups.${index}.parameters`, group, names);
  }
}

/** Two views of a text differ by their dropout alone. */
export function checkDropoutViews(config: TrainConfig, encoder: EncoderConfig): void {
  const source = config.data.find(
    ({ format, task }) => format === 'raw-text' && (task ?? 'dropout-views') === 'dropout-views',
  );
  if (source === undefined || encoder.hiddenDropout > 0 || encoder.attentionDropout > 0) return;
  throw mistakeAt(
    source,
    'path',
    `${[source.path].flat().join(', ')}: dropout-views needs dropout, or a text and its other view are the same; set training.dropout: 0.1`,
  );
}

/** A whole text must fit into a chunk of gradient caching. */
function checkChunks({ text, training }: TrainConfig, maxLength: number): void {
  const { cache_tokens: most = Number.POSITIVE_INFINITY } = training;
  for (const key of ['query_max_length', 'passage_max_length'] as const) {
    const longest = Math.min(text[key], maxLength);
    if (longest <= most) continue;
    throw mistakeAt(
      training,
      'cache_tokens',
      `training.cache_tokens ${most}: with text.${key} ${text[key]} a text may have ${longest} tokens; raise it, or lower text.${key}`,
    );
  }
}

function checkDimensions({ matryoshka }: TrainConfig, dimension: number): void {
  const wrong = matryoshka?.dimensions.find((each) => each > dimension || each % 4 !== 0);
  if (matryoshka === undefined || wrong === undefined) return;
  throw mistakeAt(
    matryoshka,
    'dimensions',
    `matryoshka.dimensions: expected multiples of 4 up to ${dimension}, which the model's embeddings have, but received ${wrong}`,
  );
}
