/**
 * A new model to start from: random weights of a given shape, and a tokenizer trained on the run's own texts. It is
 * written as a folder like any other, so that everything after it is the same.
 */
import type { TrainingSet } from '@synglot/data';
import { saveCheckpoint, type Tokenizer, type TokenizerProgress, trainTokenizer } from '@synglot/models';
import { encoderParameters, freshParameters } from '@synglot/nn';
import { freshModelSection } from './config/fresh-model.js';
import type { TrainConfig } from './config.js';
import type { ModelShape } from './model-checks.js';

/** What is known of the model before its tokenizer: all but the sizes of the tables of words and types. */
export function freshShape(config: TrainConfig): ModelShape {
  const shape = sectionOf(config);
  return {
    config: {
      family: 'bert',
      vocabularySize: shape.vocabulary_size,
      hiddenSize: shape.hidden_size,
      layers: shape.layers,
      heads: shape.heads,
      intermediateSize: shape.intermediate_size,
      maxPositions: shape.max_positions,
      typeVocabularySize: 1,
      layerNormEpsilon: 1e-12,
      hiddenDropout: 0,
      attentionDropout: 0,
      positionOffset: 0,
      initializerRange: shape.initializer_range,
    },
    pooling: config.pooling ?? { mode: 'mean', normalize: true },
    maxLength: shape.max_positions,
  };
}

function sectionOf({ fresh_model: section }: TrainConfig) {
  return freshModelSection.unwrap().parse(section ?? {});
}

/** The last tokenizer that was trained: the runs of a sweep share it. */
let trained: { readonly key: string; readonly tokenizer: Tokenizer } | undefined;

/** The model's tokenizer, which depends only on the training texts. */
export async function freshTokenizer(
  config: TrainConfig,
  training: TrainingSet,
  onProgress?: (progress: TokenizerProgress) => void,
): Promise<Tokenizer> {
  const { vocabulary_size: vocabularySize, tokenizer: model, lowercase } = sectionOf(config);
  // In their order; a set also has rows of held-out passages, which are in none of its texts.
  const rowNumbers = [...training.queries, ...training.passages].flat().sort((a, b) => a - b);
  const texts = rowNumbers.map((row) => training.rows[row]!.text);
  const key = JSON.stringify([training.fingerprint, vocabularySize, model, lowercase]);
  if (trained?.key !== key) {
    const options = { vocabularySize, model, lowercase, ...(onProgress ? { onProgress } : {}) };
    trained = { key, tokenizer: await trainTokenizer(texts, options) };
  }
  return trained.tokenizer;
}

/** Writes the model as a folder. Its weights depend only on `training.seed`. */
export async function writeFreshModel(
  folder: string,
  config: TrainConfig,
  tokenizer: Tokenizer,
): Promise<void> {
  const { config: shape, pooling, maxLength } = freshShape(config);
  const encoder = {
    ...shape,
    vocabularySize: tokenizer.vocabularySize,
    typeVocabularySize: tokenizer.typeCount,
  };
  const specs = encoderParameters(encoder, pooling);
  const rows = freshParameters(encoder, specs, config.training.seed);
  const tensors = specs.map(({ name, shape: axes }) => ({
    name,
    shape: axes,
    read: () => rows(name, 0, axes[0] as number),
  }));
  const description = 'Random weights; the tokenizer is trained on the texts of the run.';
  await saveCheckpoint(folder, {
    config: encoder,
    pooling,
    maxLength,
    tokenizer,
    tensors,
    description,
  });
}
