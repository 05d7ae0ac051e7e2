/** From an opened run to its trainer's options, and to what its models are saved with. */
import type { Encode } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import type { Checkpoint } from '@synglot/models';
import type { ParameterStore } from '@synglot/nn';
import type { ModelParts } from './checkpoints.js';
import type { TrainConfig } from './config.js';
import type { OpenedModel, OpenedRun } from './open-run.js';
import type { TrainerOptions } from './trainer.js';

/** The trainer of a run on a device. */
export function trainerOptions(
  config: TrainConfig,
  { data, model, phase }: OpenedRun,
  device: { readonly executor: Executor; readonly store: ParameterStore },
): TrainerOptions {
  const { text, training } = config;
  return {
    ...device,
    config: model.encoder,
    pooling: model.checkpoint.pooling,
    sampler: data.sampler,
    encode: encodeWith(model.checkpoint, config),
    collate: {
      queryPrefix: text.query_prefix,
      passagePrefix: text.passage_prefix,
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

/** What the trained model is saved with, beside its parameters. */
export function modelParts({ checkpoint, encoder }: OpenedModel, config: TrainConfig): ModelParts {
  const { query_prefix: query, passage_prefix: passage } = config.text;
  return {
    config: encoder,
    pooling: checkpoint.pooling,
    maxLength: checkpoint.maxLength,
    tokenizer: checkpoint.tokenizer,
    ...(checkpoint.adapterBase === undefined ? {} : { adapterBase: checkpoint.adapterBase }),
    prompts: query || passage ? { query, passage } : checkpoint.prompts,
    description: `Fine-tuned from ${config.model} with ${config.sampling.mode} batches for ${config.training.steps} steps.`,
  };
}

/** A warmup below 1 is a share of the steps, else a number of steps. */
function warmupSteps({ training }: TrainConfig): number {
  return training.warmup < 1 ? Math.round(training.warmup * training.steps) : Math.round(training.warmup);
}

/** Tokenizes with the checkpoint's tokenizer and each side's own length limit. */
function encodeWith({ tokenizer, maxLength }: Checkpoint, { text }: TrainConfig): Encode {
  return async (texts, kind) => {
    const limit = kind === 'query' ? text.query_max_length : text.passage_max_length;
    const encoded = await tokenizer.encodeBatch(texts, { maxLength: Math.min(limit, maxLength) });
    return encoded.map(({ ids }) => ids);
  };
}
