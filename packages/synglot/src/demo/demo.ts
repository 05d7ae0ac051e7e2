/**
 * The demo: three batch modes on equal budgets, from random weights, evaluated on held-out symbols.
 *
 * Uses the same trainer, encoder and evaluation as everything else; only the data is small.
 */
import { BatchSampler, type ParallelCollection, type TrainingSet, TrainingSetBuilder } from '@synglot/data';
import { DeviceScorer, evaluateRetrieval, type RetrievalReport } from '@synglot/eval';
import type { Executor } from '@synglot/gpu';
import { EmbeddingModel, type Tokenizer, trainTokenizer } from '@synglot/models';
import {
  defaultAdamW,
  type EncoderConfig,
  encoderParameters,
  freshParameters,
  ParameterStore,
  type PoolingConfig,
  type Precision,
} from '@synglot/nn';
import { checkPrecision, contrastiveObjective, type StepMetrics, Trainer } from '@synglot/train';
import { readSymbols } from './symbols.js';

export const demoModes = ['monolingual', 'cross-lingual', 'hybrid'] as const;
export type DemoMode = (typeof demoModes)[number];

export interface DemoOptions {
  readonly executor: Executor;
  readonly seeds: number;
  /** Default 0. */
  readonly firstSeed?: number;
  /** Default all. */
  readonly modes?: readonly DemoMode[];
  /** Default `f32`. */
  readonly precision?: Precision;
  readonly steps: number;
  readonly batchSize: number;
  readonly onNotice?: (line: string) => void;
  readonly onStep?: (mode: DemoMode, seed: number, metrics: StepMetrics) => void;
  readonly onRun?: (run: DemoRun) => void;
}

export interface DemoRun {
  readonly mode: DemoMode;
  readonly seed: number;
  readonly map: RetrievalReport['summary']['map'];
  readonly rank_distance: number | null;
  readonly measures: RetrievalReport['summary']['measures'];
  readonly last_loss: number;
  /** Mean over the last 20 updates that were not skipped. */
  readonly final_loss: number;
  /** Updates that overflowed: 0 in f32. */
  readonly skipped: number;
  readonly training_seconds: number;
}

export interface DemoReport {
  readonly device: string;
  readonly executor: string;
  readonly languages: readonly string[];
  readonly training_symbols: number;
  readonly held_out_symbols: number;
  readonly encoder: EncoderConfig;
  readonly steps: number;
  readonly batch_size: number;
  readonly precision: Precision;
  /** What random embeddings get, computed the same way. */
  readonly chance: Pick<DemoRun, 'map' | 'rank_distance'>;
  readonly runs: readonly DemoRun[];
}

const vocabularySize = 12000;
const maxLength = 48;
const heldOutShare = 0.15;
const pooling: PoolingConfig = { mode: 'mean', normalize: true };
const temperature = 0.05;
const learningRate = 6e-3;

/** Trains and evaluates every mode and seed. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { executor, onNotice = () => undefined } = options;
  checkPrecision(options.precision ?? 'f32', executor);
  const symbols = await readSymbols(heldOutShare);
  const texts = symbols.training.flatMap(({ query, passage }) => [query.text, passage.text]);
  onNotice(
    `${symbols.trainingSymbols} symbols to learn, ${symbols.heldOutSymbols} held out, ${symbols.heldOut.langs.length} languages`,
  );
  const tokenizer = await trainTokenizer(texts, { vocabularySize, lowercase: true });
  onNotice(`tokenizer with ${tokenizer.vocabularySize} pieces trained on ${texts.length} texts`);
  const builder = new TrainingSetBuilder();
  for (const pair of symbols.training) builder.add(pair);
  const set = builder.build();
  const encoder = demoEncoder(tokenizer.vocabularySize);

  const scorer = new DeviceScorer(executor);
  const chance = await evaluateEmbeddings(symbols.heldOut, scorer, encoder.hiddenSize, randomRows);
  const runs: DemoRun[] = [];
  const { firstSeed = 0, modes = demoModes } = options;
  for (let seed = firstSeed; seed < firstSeed + options.seeds; seed++) {
    for (const mode of modes) {
      const run = await trainAndEvaluate({
        ...options,
        mode,
        seed,
        set,
        encoder,
        tokenizer,
        collection: symbols.heldOut,
        scorer,
      });
      runs.push(run);
      options.onRun?.(run);
    }
  }
  scorer.destroy();
  return {
    device: executor.device.name,
    executor: executor.kind,
    languages: symbols.heldOut.langs,
    training_symbols: symbols.trainingSymbols,
    held_out_symbols: symbols.heldOutSymbols,
    encoder,
    steps: options.steps,
    batch_size: options.batchSize,
    precision: options.precision ?? 'f32',
    chance: { map: chance.summary.map, rank_distance: chance.summary.rank_distance },
    runs,
  };
}

function demoEncoder(vocabularySize: number): EncoderConfig {
  return {
    family: 'bert',
    vocabularySize,
    hiddenSize: 64,
    layers: 1,
    heads: 4,
    intermediateSize: 128,
    maxPositions: 64,
    typeVocabularySize: 1,
    layerNormEpsilon: 1e-12,
    hiddenDropout: 0,
    attentionDropout: 0,
    positionOffset: 0,
    initializerRange: 0.05,
  };
}

interface RunOptions extends DemoOptions {
  readonly mode: DemoMode;
  readonly seed: number;
  readonly set: TrainingSet;
  readonly encoder: EncoderConfig;
  readonly tokenizer: Tokenizer;
  readonly collection: ParallelCollection;
  readonly scorer: DeviceScorer;
}

async function trainAndEvaluate(options: RunOptions): Promise<DemoRun> {
  const { executor, mode, seed, set, encoder, tokenizer, steps } = options;
  const specs = encoderParameters(encoder, pooling);
  const store = new ParameterStore(executor, specs);
  await store.load('parameter', freshParameters(encoder, specs, seed));
  const trainer = new Trainer({
    executor,
    store,
    config: encoder,
    pooling,
    sampler: new BatchSampler(set, { mode, batchSize: options.batchSize, seed }),
    encode: async (texts) => (await tokenizer.encodeBatch(texts, { maxLength })).map(({ ids }) => ids),
    objectives: [contrastiveObjective({ temperature, direction: 'both' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
    schedule: { learningRate, steps, warmupSteps: Math.round(steps * 0.1), decay: 'linear' },
    seed,
    precision: options.precision ?? 'f32',
  });
  const started = performance.now();
  const losses: number[] = [];
  while (trainer.step < steps) {
    const metrics = await trainer.update();
    if (!metrics.skipped) losses.push(metrics.loss);
    options.onStep?.(mode, seed, metrics);
  }
  const trainingSeconds = (performance.now() - started) / 1000;
  await trainer.destroy();
  const model = new EmbeddingModel(executor, store, { config: encoder, pooling, maxLength, tokenizer });
  const { summary } = await evaluateEmbeddings(options.collection, options.scorer, model.dimension, (texts) =>
    model.embed(texts),
  );
  await model.destroy();
  const { map, rank_distance, measures } = summary;
  const last = losses.slice(-20);
  return {
    mode,
    seed,
    map,
    rank_distance,
    measures,
    last_loss: losses.at(-1) ?? Number.NaN,
    final_loss: last.reduce((sum, loss) => sum + loss, 0) / last.length,
    skipped: steps - losses.length,
    training_seconds: trainingSeconds,
  };
}

type Side = 'queries' | 'candidates';

async function evaluateEmbeddings(
  collection: ParallelCollection,
  scorer: DeviceScorer,
  dimension: number,
  embed: (texts: string[], dimension: number, side: Side) => Promise<Float32Array>,
): Promise<RetrievalReport> {
  const embedSide = (side: Side) =>
    embed(
      collection[side].map(({ text }) => text),
      dimension,
      side,
    );
  const queryEmbeddings = await embedSide('queries');
  const candidateEmbeddings = await embedSide('candidates');
  return evaluateRetrieval({ collection, queryEmbeddings, candidateEmbeddings, dimension, scorer });
}

/** Random directions, different for queries and candidates: what chance looks like. */
async function randomRows(texts: string[], dimension: number, side: Side): Promise<Float32Array> {
  const config = { ...demoEncoder(texts.length), hiddenSize: dimension, initializerRange: 1 };
  const spec = { name: `chance ${side === 'queries' ? 0 : 1}`, shape: [texts.length, dimension] };
  return freshParameters(config, [spec], 0)(spec.name, 0, texts.length);
}
