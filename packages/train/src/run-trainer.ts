/** From an opened run to its trainer's options, and to what is saved with its models. */
import type { Encode } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { type Checkpoint, isHubId } from '@synglot/models';
import type { ParameterStore } from '@synglot/nn';
import type { ModelParts } from './checkpoints.js';
import { freshModel } from './config/fresh-model.js';
import type { TrainConfig } from './config.js';
import type { OpenedModel, OpenedRun } from './open-run.js';
import type { TrainerOptions } from './trainer.js';

/** The trainer of a run on a device. */
export function trainerOptions(
  config: TrainConfig,
  { data, model, phase }: OpenedRun,
  device: { readonly executor: Executor; readonly store: ParameterStore },
): TrainerOptions {
  const { training } = config;
  return {
    ...device,
    config: model.encoder,
    pooling: model.checkpoint.pooling,
    sampler: data.sampler,
    encode: encodeWith(model.checkpoint, config),
    collate: {
      queryPrefix: model.use.query,
      passagePrefix: model.use.passage,
      ...(data.rewritten ? { rewrite: data.rewritten.rewrite } : {}),
    },
    objectives: phase.objectives,
    ...(config.fgm ? { perturbation: config.fgm.epsilon } : {}),
    optimizer: phase.optimizer,
    schedule: {
      learningRate: config.optimizer.learning_rate,
      steps: training.steps,
      warmupSteps: warmupSteps(config),
      decay: training.schedule,
    },
    accumulation: training.accumulation,
    prefetch: training.prefetch,
    ...(training.cache_tokens === undefined ? {} : { cacheTokens: training.cache_tokens }),
    recompute: training.recompute,
    seed: training.seed,
    precision: training.precision,
    lossScale: { initial: training.loss_scale },
  };
}

/** What is saved with the trained model besides its parameters, whenever it is saved. */
export function modelParts({ checkpoint, use, encoder }: OpenedModel, config: TrainConfig): ModelParts {
  const { prompts, defaultPromptName, similarity } = checkpoint;
  const { query, passage } = use;
  const prompted = query || passage || Object.keys(prompts).length > 0;
  // A hub id whose source is the id itself is a local folder of that name.
  const fromHub = isHubId(config.model) && config.model !== freshModel && checkpoint.source !== config.model;
  return {
    config: encoder,
    pooling: checkpoint.pooling,
    maxLength: checkpoint.maxLength,
    tokenizer: checkpoint.tokenizer,
    ...(checkpoint.adapterBase === undefined ? {} : { adapterBase: checkpoint.adapterBase }),
    // sentence-transformers looks for `document`; older versions looked for `passage`.
    ...(prompted ? { prompts: { ...prompts, query, document: passage, passage } } : {}),
    ...(defaultPromptName === undefined ? {} : { defaultPromptName }),
    ...(similarity === undefined ? {} : { similarity }),
    ...(fromHub ? { baseModel: config.model } : {}),
  };
}

/** The parts with what the model's card says of its training. */
export function partsAfter(parts: ModelParts, { model, sampling }: TrainConfig, steps: number): ModelParts {
  return {
    ...parts,
    description: `Fine-tuned from ${model} with ${sampling.mode} batches for ${steps} steps.`,
  };
}

/** A warmup below 1 is a share of the steps, any other a number of steps. Rounded up, as transformers does. */
function warmupSteps({ training }: TrainConfig): number {
  return training.warmup < 1 ? Math.ceil(training.warmup * training.steps) : training.warmup;
}

/** Tokenizes with the checkpoint's tokenizer and each side's own length limit. */
function encodeWith({ tokenizer, maxLength }: Checkpoint, { text }: TrainConfig): Encode {
  return async (texts, kind) => {
    const limit = kind === 'query' ? text.query_max_length : text.passage_max_length;
    const encoded = await tokenizer.encodeBatch(texts, { maxLength: Math.min(limit, maxLength) });
    return encoded.map(({ ids }) => ids);
  };
}
