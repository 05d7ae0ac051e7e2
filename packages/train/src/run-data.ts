/** From a configuration to training and validation data and the sampler's options. */
import {
  holdOut,
  normaliseLanguage,
  type Pair,
  type ParallelCollection,
  type SamplerOptions,
  type TrainingSet,
  TrainingSetBuilder,
  unknownLanguage,
} from '@synglot/data';
import { openTrainingData, readerOptions, readsSeveralFiles, type TrainingSource } from '@synglot/data/files';
import { checkPath, findFiles } from './config/paths.js';
import { inTermsOfConfig, placedPaths, placeIn } from './config/places.js';
import type { TrainConfig } from './config.js';
import { checkStopped, TrainError } from './errors.js';
import { HeapWatch } from './heap-watch.js';
import { heldOutCollection, heldOutOverlap } from './held-out.js';
import { addMiningCorpora, findMiningCorpora } from './mining-corpus.js';

type DataSource = TrainConfig['data'][number];

/** Longest silence while millions of pairs are read. */
const quietMs = 10_000;
/** Pairs between two looks at the clock. */
const pairsBetweenLooks = 1024;

/** The pairs that one set is built from, and how many they are. */
interface Side {
  readonly builder: TrainingSetBuilder;
  pairs: number;
}

type Sides = Readonly<Record<'training' | 'validation' | 'heldOut', Side>>;

/** The pairs of a run; all those of a passage are on one side. */
export interface RunData {
  readonly training: TrainingSet;
  readonly validation: TrainingSet | undefined;
  /** Set aside by `hold_out`. */
  readonly heldOut: TrainingSet | undefined;
  /** How many of its texts are trained on too. */
  readonly seenInTraining: ReturnType<typeof heldOutOverlap> | undefined;
}

/**
 * Reads every source. Passages that are held out go to validation, or are set aside for an evaluation, with
 * all their questions; in training they are nobody's negatives.
 *
 * @throws TrainError `STOPPED` when `signal` asks for it
 */
export async function readData(
  config: TrainConfig,
  onNotice: (line: string) => void,
  signal?: AbortSignal,
): Promise<RunData> {
  const first = newSide();
  const sides: Sides = { training: first, validation: newSide(first), heldOut: newSide(first) };
  const sideOf = sideChooser(config);
  const languages = new Set<string>();
  // All are opened first, so that a missing file is reported before any of the others is read.
  const opened: { source: DataSource; pairs: AsyncIterable<Pair> }[] = [];
  for (const source of config.data) opened.push({ source, pairs: await openSource(source, config) });
  const corpora = await findMiningCorpora(config);
  const look = readingWatch(onNotice, signal);
  for (const { source, pairs } of opened) {
    for await (const pair of pairs) {
      look();
      checkScored(config, [source.path].flat().join(', '), pair);
      languages.add(pair.query.lang).add(pair.passage.lang);
      const name = sideOf(pair);
      if (name === undefined) continue;
      sides[name].builder.add(pair);
      sides[name].pairs += 1;
    }
  }
  checkSides(config, sides, languages, onNotice);
  await addMiningCorpora(corpora, sides.training.builder);
  const built = ({ pairs, builder }: Side, ...parts: (TrainingSet | undefined)[]) =>
    pairs > 0 ? builder.build(parts.filter((part) => part !== undefined)) : undefined;
  const heldOut = built(sides.heldOut);
  const validation = built(sides.validation, heldOut);
  const training = built(sides.training, heldOut, validation) as TrainingSet;
  const seenInTraining = heldOut && heldOutOverlap(heldOut, training);
  if (seenInTraining) noticeOverlap(seenInTraining, onNotice);
  return { training, validation, heldOut, seenInTraining };
}

/** What is done at each pair that is read: may the reading go on, is there room for more, is it time to say how far it is. */
function readingWatch(onNotice: (line: string) => void, signal: AbortSignal | undefined): () => void {
  const heap = new HeapWatch();
  let read = 0;
  let told = performance.now();
  return () => {
    checkStopped(signal);
    heap.addPair();
    if (++read % pairsBetweenLooks === 0 && performance.now() - told > quietMs) {
      told = performance.now();
      onNotice(`reading: ${read} pairs so far`);
    }
  };
}

/**
 * Which side a pair is on: every question of a passage, in every language, on the same. None for what validation holds
 * out in other languages than those named: it is in no batch.
 */
function sideChooser({ validation, hold_out, training }: TrainConfig) {
  const { fraction: aside = 0, seed: asideSeed = 0 } = hold_out ?? {};
  const share = validation?.fraction ?? 0;
  const langs = validation?.langs?.map(normaliseLanguage);
  return ({ query, passage }: Pair): keyof Sides | undefined => {
    const key = `${passage.dataset}\n${passage.parallelId}`;
    // A key of its own: with equal seeds, a passage's two chances would otherwise not be independent.
    if (aside > 0 && holdOut(`hold_out\n${key}`, aside, asideSeed)) return 'heldOut';
    if (!(share > 0 && holdOut(key, share, training.seed))) return 'training';
    const validates = !langs || (langs.includes(query.lang) && langs.includes(passage.lang));
    return validates ? 'validation' : undefined;
  };
}

/** @throws TrainError `INPUT_CONFIG`, DataError `INPUT_LANGUAGE` if nothing is left to train on, or a language is not there */
function checkSides(
  { data, hold_out, validation }: TrainConfig,
  sides: Sides,
  languages: ReadonlySet<string>,
  onNotice: (line: string) => void,
): void {
  const { fraction: aside = 0 } = hold_out ?? {};
  const { fraction: share = 0, langs = [] } = validation ?? {};
  const total = sides.training.pairs + sides.validation.pairs + sides.heldOut.pairs;
  if (total === 0) {
    throw new TrainError(
      'INPUT_CONFIG',
      `no pairs in ${data.flatMap((source) => source.path).join(', ')}; check langs and limit`,
    );
  }
  const absent = langs.map(normaliseLanguage).find((lang) => !languages.has(lang));
  if (absent !== undefined) throw unknownLanguage(absent, [...languages], 'validation.langs');
  if (sides.training.pairs === 0) {
    throw new TrainError(
      'INPUT_CONFIG',
      `hold_out.fraction ${aside} and validation.fraction ${share} hold out all ${total} pairs: none is left to train on; lower them`,
    );
  }
  if (share > 0 && sides.validation.pairs === 0)
    onNotice(`validation.fraction ${share} holds out none of ${total} pairs: no validation`);
  if (aside > 0 && sides.heldOut.pairs === 0)
    onNotice(`hold_out.fraction ${aside} holds out none of ${total} pairs`);
}

/** What `hold_out` sets aside, as a collection that is called by its share; undefined if that is nothing. */
export function heldOutOf({ hold_out }: TrainConfig, { heldOut }: RunData): ParallelCollection | undefined {
  const { fraction = 0, questions } = hold_out ?? {};
  const name = `held-out ${Math.round(fraction * 100)}%`;
  return heldOut && heldOutCollection(heldOut, { name, ...(questions ? { questions } : {}) });
}

/** An evaluation on texts that were trained on is worth less, and whoever publishes it must know. */
function noticeOverlap(
  { questions, passages }: ReturnType<typeof heldOutOverlap>,
  onNotice: (line: string) => void,
): void {
  if (questions.shared + passages.shared === 0) return;
  const shares = [
    `${questions.shared} of ${questions.all} questions`,
    `${passages.shared} of ${passages.all} passages`,
  ];
  onNotice(`hold_out: ${shares.join(' and ')} are in the training data word for word`);
}

/** @throws TrainError `INPUT_CONFIG` for the weight of a data set or domain that is held out as a whole */
export function checkWeights({ sampling }: TrainConfig, { training, validation, heldOut }: RunData): void {
  for (const of of ['dataset', 'domain'] as const) {
    const key = `${of}s` as const;
    const weighting = sampling[key];
    if (typeof weighting === 'string' || !('weights' in weighting)) continue;
    const namesOf = (set?: TrainingSet) => new Set(set?.items.map((item) => set[key][item[of]]!));
    const drawn = namesOf(training);
    const left = [heldOut, validation].flatMap((set) => [...namesOf(set)]);
    const { weights } = weighting;
    const given = Array.isArray(weights) ? weights.map(([, byName]) => byName) : [weights];
    const name = given.flatMap(Object.keys).find((each) => left.includes(each) && !drawn.has(each));
    if (name === undefined) continue;
    throw new TrainError(
      'INPUT_CONFIG',
      `${placeIn(sampling, key)}sampling.${key}.weights: '${name}' has no pair to train on, all of its passages are held out; leave it out here, or hold out less`,
    );
  }
}

/** Equal for configurations that {@link readData} reads alike, so that a sweep may read once for several runs. */
export function dataKey({ data, hold_out, validation, mining, margin_mse, training }: TrainConfig): string {
  const scored = margin_mse?.margins === 'scores';
  const validated = validation && [validation.fraction, validation.langs, training.seed];
  return JSON.stringify([data, hold_out, validated, mining?.corpus, scored]);
}

function newSide(sibling?: Side): Side {
  return { builder: new TrainingSetBuilder(sibling?.builder), pairs: 0 };
}

/** Readers of formats with scores report a missing one themselves, with file and line; other formats have none. */
function checkScored({ margin_mse: margins }: TrainConfig, path: string, pair: Pair): void {
  if (margins?.margins !== 'scores' || pair.negatives.length === 0 || pair.margins) return;
  throw new TrainError(
    'INPUT_CONFIG',
    `${path}: '${pair.query.id}' has negatives, but this format has no scores for margin_mse.margins: scores; give the data as pairs-jsonl with 'scores'`,
  );
}

function toSource(source: DataSource, config: TrainConfig): TrainingSource {
  const known = readerOptions(source.format as TrainingSource['format']);
  const scored = config.margin_mse?.margins === 'scores' && known.includes('scores');
  const camel = Object.entries(source).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(scored ? [...camel, ['scores', true]] : camel) as TrainingSource;
}

/** Checks a source and finds its files before any of them is read. */
async function openSource(source: DataSource, config: TrainConfig): Promise<AsyncIterable<Pair>> {
  const pairs = await inTermsOfConfig(placeIn(source, 'path'), () =>
    openTrainingData(toSource(source, config)),
  );
  const placed = placedPaths(source);
  if (readsSeveralFiles(source.format as TrainingSource['format'])) await findFiles('data', placed);
  else for (const { path, place } of placed) await checkPath(path, `${place}data path `);
  return pairs;
}

/** The sampler's options under its own names. */
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
    ...(sampling.homogeneous_domain ? { homogeneousDomain: true } : {}),
    ...(sampling.alpha === undefined ? {} : { alpha: sampling.alpha }),
    ...(sampling.mode_weights === undefined
      ? {}
      : { modeWeights: sampling.mode_weights as NonNullable<SamplerOptions['modeWeights']> }),
    ...(sampling.only_pairs === undefined ? {} : { onlyPairs: sampling.only_pairs }),
    ...(sampling.negatives === undefined ? {} : { negatives: sampling.negatives }),
  };
}
