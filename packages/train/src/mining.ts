/**
 * Hard negatives that are mined again after every so many updates with the current model, saved in the run's
 * folder, and read from there when the run is resumed. The caller passes the mining itself: searching is not
 * part of this package.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BatchSampler,
  DataError,
  type MiningOptions,
  resolveMining,
  type TextKind,
  type TrainingSet,
} from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { EmbeddingModel, retrievalUse, writeFileAtomic } from '@synglot/models';
import type { ParameterStore } from '@synglot/nn';
import type { ModelParts } from './checkpoints.js';
import { miningSection } from './config/mining.js';
import { mistakeAt } from './config/places.js';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';

/** What a round of mining is asked to do. */
export interface MiningRequest {
  readonly executor: Executor;
  readonly set: TrainingSet;
  readonly options: MiningOptions;
  /** Updates done. */
  readonly step: number;
  /** Embeddings [texts, dimension] with the current parameters and the prefixes and lengths of training. */
  readonly embedQueries: (texts: readonly string[]) => Promise<Float32Array>;
  readonly embedPassages: (texts: readonly string[]) => Promise<Float32Array>;
  /** Stops the round, which then throws its reason. */
  readonly signal?: AbortSignal;
}

/** What a round found. */
export interface MiningResult {
  /** Per item of the training set: indices into its passages. */
  readonly negatives: ReadonlyMap<number, readonly number[]>;
  /** One line for the log. */
  readonly summary: string;
  /** Plain JSON, kept beside the negatives. */
  readonly statistics: object;
}

/** Searches for hard negatives; `mineForTraining` of synglot is one. */
export type Mine = (request: MiningRequest) => Promise<MiningResult>;

/** What {@link MiningRounds} works on. */
export interface MiningRoundsOptions {
  readonly config: TrainConfig;
  readonly set: TrainingSet;
  readonly sampler: BatchSampler;
  /** Folder of the run. */
  readonly output: string;
  readonly mine: Mine;
  readonly executor: Executor;
  /** The parameters that are being trained, and what else the model is made of. */
  readonly store: ParameterStore;
  readonly parts: ModelParts;
  readonly onNotice: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Checks the section for a run; `synglot mine` has other rules.
 *
 * @throws TrainError `INPUT_CONFIG` if there is nothing to mine with, or the run needs scores, which it cannot mine;
 *   DataError `INPUT_OPTION`
 */
export function checkMining(config: TrainConfig, mine: Mine | undefined): void {
  const { mining, margin_mse: margins } = config;
  if (mining && margins?.margins === 'scores') {
    throw mistakeAt(
      margins,
      'margins',
      'margin_mse.margins: scores: what `mining` finds in the run has no scores; leave mining out, or take margins: teacher',
    );
  }
  if (mining === undefined) return;
  resolveMining(miningOptions(config));
  if (mine !== undefined) return;
  throw new TrainError(
    'INPUT_CONFIG',
    'mining: nothing to mine with; pass `mine` to runTraining, as the synglot command does',
  );
}

/** The rounds of mining of one run, if its configuration has a section for it. */
export class MiningRounds {
  readonly #options: MiningRoundsOptions;
  readonly #section: NonNullable<TrainConfig['mining']>;
  /** Step of the round whose negatives the sampler has. */
  #current = -1;

  constructor(options: MiningRoundsOptions, section: NonNullable<TrainConfig['mining']>) {
    this.#options = options;
    this.#section = section;
  }

  /**
   * To be called after `step` updates, before the next: mines if a round is due, and gives the sampler the
   * negatives of the latest one.
   *
   * @returns whether the sampler's negatives have changed, so that batches drawn ahead must be drawn again
   * @throws DataError `INPUT_MINING` if a round before the first update leaves none; after it, a notice says so
   * @throws TrainError `INPUT_RESUME` if the round of a resumed run is not in its folder; the signal's reason
   */
  async before(step: number): Promise<boolean> {
    const { every, start } = this.#section;
    if (step < start) return false;
    const due = start + Math.floor((step - start) / every) * every;
    if (due === this.#current) return false;
    const { set, sampler } = this.#options;
    const path = join(this.#options.output, 'mined', `step-${String(due).padStart(6, '0')}.json`);
    const kept = await readRound(path, set.fingerprint);
    if (kept === undefined && due < step) {
      throw new TrainError(
        'INPUT_RESUME',
        `${path}: missing, but step ${step} was trained with it; restore the file or start anew in another --output`,
      );
    }
    sampler.setNegatives(kept ?? (await this.#round(due, path)));
    this.#current = due;
    return true;
  }

  async #round(step: number, path: string): Promise<ReadonlyMap<number, readonly number[]>> {
    const { config, set, executor, mine, onNotice, signal } = this.#options;
    const started = performance.now();
    const found = mine({
      executor,
      set,
      options: miningOptions(config),
      step,
      embedQueries: (texts) => this.#embed(texts, 'query'),
      embedPassages: (texts) => this.#embed(texts, 'passage'),
      ...(signal ? { signal } : {}),
    });
    // Before the first update nothing is lost by a mistake; later on, updates would be.
    const { negatives, statistics, summary } = await (step === 0 ? found : found.catch(noneFound));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    onNotice(`mined after step ${step} in ${seconds} s: ${summary}`);
    const round = { step, data: set.fingerprint, statistics, negatives: [...negatives] };
    await mkdir(join(this.#options.output, 'mined'), { recursive: true });
    await writeFileAtomic(path, (file) => file.writeFile(`${JSON.stringify(round)}\n`));
    return negatives;
  }

  async #embed(texts: readonly string[], kind: TextKind): Promise<Float32Array> {
    const { executor, store, parts, config, signal } = this.#options;
    const { text } = config;
    const use = retrievalUse(parts);
    const model = new EmbeddingModel(executor, store, parts);
    try {
      return await model.embed(texts, {
        prefix: use[kind],
        normalize: use.normalize,
        maxLength: kind === 'query' ? text.query_max_length : text.passage_max_length,
        ...(signal ? { signal } : {}),
      });
    } finally {
      await model.releasePlans();
    }
  }
}

/** The result of a round that leaves nothing; other errors are thrown again. */
function noneFound(error: unknown): MiningResult {
  if (!(error instanceof DataError && error.code === 'INPUT_MINING')) throw error;
  const summary = `${error.message}; no hard negatives until the next round`;
  return { negatives: new Map(), statistics: { mined: 0 }, summary };
}

/** The options of mining under their own names; without a section, the defaults. */
export function miningOptions({
  mining = defaultMining(),
  training,
}: Pick<TrainConfig, 'mining' | 'training'>): MiningOptions {
  const rules = {
    absoluteMargin: mining.absolute_margin,
    relativeMargin: mining.relative_margin,
    maxScore: mining.max_score,
    minScore: mining.min_score,
  };
  return {
    ...Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined)),
    negatives: mining.negatives,
    rangeMin: mining.range_min,
    rangeMax: mining.range_max,
    sampling: mining.sampling,
    languages: mining.languages,
    seed: mining.seed ?? training.seed,
  };
}

/** The section `mining` with all its defaults. */
export function defaultMining(): NonNullable<TrainConfig['mining']> {
  return miningSection.unwrap().parse({});
}

async function readRound(
  path: string,
  fingerprint: string,
): Promise<ReadonlyMap<number, readonly number[]> | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new TrainError('INPUT_RESUME', `${path}: cannot be read: ${error.message}`);
  });
  if (text === undefined) return undefined;
  const round = parsed(text);
  if (round === undefined || round.data !== fingerprint) {
    const problem = round === undefined ? 'is damaged' : 'was mined from other training data';
    throw new TrainError('INPUT_RESUME', `${path}: ${problem}; restore the file or start anew`);
  }
  return new Map(round.negatives);
}

function parsed(text: string): { data: string; negatives: [number, number[]][] } | undefined {
  try {
    const round = JSON.parse(text) as { data: string; negatives: [number, number[]][] };
    return Array.isArray(round.negatives) ? round : undefined;
  } catch {
    return undefined;
  }
}
