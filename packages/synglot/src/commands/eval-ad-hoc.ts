/**
 * `synglot eval` on judged collections and bitexts: the corpus is encoded into a store that resumes,
 * searched exactly, and the rankings are judged as the benchmark's own tool does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdHocCollection, Bitext } from '@synglot/data';
import { type Benchmark, readMewsliXPredictions } from '@synglot/data/files';
import {
  type AdHocReport,
  adHocTable,
  type BitextReport,
  bitextTable,
  EvaluationError,
  evaluateBitext,
  evaluateRankings,
  judgmentNotes,
  meanIntervals,
  profileNamed,
  searchTopK,
  type VectorSource,
} from '@synglot/eval';
import {
  checkTrecIds,
  encodeCorpus,
  openMatrix,
  type RunRanking,
  readMatrix,
  withIds,
  writeJson,
  writeRun,
} from '@synglot/eval/files';
import type { Executor } from '@synglot/gpu';
import { checkWritable, makeFolders } from '@synglot/models';
import { progressBar } from '../progress.js';
import type { EvalOptions } from './eval.js';
import { type Encoder, openEncoder } from './eval-encoder.js';
import { openChecked, stoppedIn } from './index-corpus.js';
import { checkOutputFile } from './options.js';
import { stoppable } from './stoppable.js';

/** Evaluates judged collections one after the other, prints a table and writes runs and reports. */
export async function evaluateAdHoc(
  executor: Executor,
  collections: readonly AdHocCollection[],
  options: EvalOptions,
): Promise<void> {
  if (collections.length > 1 && options.passageEmbeddings) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${options.data}: ${collections.length} collections, but --passage-embeddings is for one; choose it with --langs`,
    );
  }
  const encoder = options.model
    ? await openEncoder(executor, { ...options, model: options.model })
    : undefined;
  const reports: AdHocReport[] = [];
  for (const collection of collections) {
    const { source, close } = encoder
      ? await encodedCorpus(encoder, collection, options)
      : await givenCorpus(collection, options);
    try {
      const queries = encoder
        ? await encoder.queries(collection.queries.map(({ text }) => text))
        : (await readMatrix(options.queryEmbeddings!, source.dimension)).data;
      const run =
        options.saveRun && collections.length > 1
          ? join(options.saveRun, `${collection.name}.run`)
          : options.saveRun;
      reports.push(await searchAndJudge(executor, collection, source, queries, run, options));
    } finally {
      await close();
    }
    if (collections.length > 1) console.error(`${reports.length} of ${collections.length} collections done`);
  }
  const { device, kind } = executor;
  await show(reports, options, { device: device.name, executor: kind });
}

/** Before the device is opened: whether the runs can be written, and hold all ids. Reads each corpus once more. */
export async function checkAdHocRuns(
  collections: readonly AdHocCollection[],
  saveRun: string,
): Promise<void> {
  if (collections.length > 1) {
    checkWritable(saveRun);
    await makeFolders(saveRun);
  } else await checkOutputFile(saveRun);
  for (const collection of collections) {
    await checkTrecIds(collection.queries, collection.name);
    await checkTrecIds(collection.corpus(), collection.name);
  }
}

/** Judges entity ids that another system predicted, as Mewsli-X's own scorer does; needs no device. */
export async function evaluatePredictions(benchmark: Benchmark, options: EvalOptions): Promise<void> {
  const path = options.predictions!;
  const collection = benchmark.kind === 'ad-hoc' ? benchmark.collections[0] : undefined;
  if (options.task !== 'mewsli-x' || collection === undefined) {
    throw new EvaluationError('INPUT_COLLECTION', '--predictions goes with --task mewsli-x');
  }
  const predictions = await readMewsliXPredictions(path);
  const unknown = [...predictions.keys()].find((id) => !collection.judgments.has(id));
  if (unknown !== undefined) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${path}: example '${unknown}' is not in ${collection.name}; do the files belong together?`,
    );
  }
  let documents = 0;
  for await (const _ of collection.corpus()) documents++;
  // A mention without a prediction counts as 0.
  const rankings = collection.queries.map(({ id }) => predictions.get(id) ?? []);
  await show([evaluateRankings(collection, rankings, documents, chosen(options))], options, {});
}

async function show(
  reports: readonly AdHocReport[],
  options: EvalOptions,
  device: Readonly<Record<string, string>>,
): Promise<void> {
  console.log(adHocTable(reports));
  if (!options.json) return;
  const { task, model, data, maxLength } = options;
  // With queries in several languages the mean is macro-averaged, so it needs them by language.
  const withIntervals = reports.map((report) =>
    options.intervals && Object.keys(report.by_query_lang).length <= 1
      ? { ...report, intervals: meanIntervals(report.per_query, { seed: options.seed ?? 0 }) }
      : report,
  );
  await writeJson(options.json, {
    task,
    model,
    data,
    max_length: maxLength,
    ...device,
    reports: withIntervals,
  });
  console.log(`${options.json} written`);
}

function chosen({ profile, measures }: EvalOptions): { profile?: string; measures?: readonly string[] } {
  return { ...(profile ? { profile } : {}), ...(measures ? { measures } : {}) };
}

async function searchAndJudge(
  executor: Executor,
  collection: AdHocCollection,
  source: VectorSource,
  queries: Float32Array,
  run: string | undefined,
  options: EvalOptions,
): Promise<AdHocReport> {
  if (queries.length !== collection.queries.length * source.dimension) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `${options.queryEmbeddings ?? collection.name}: ${queries.length} values, expected ${collection.queries.length} judged queries x ${source.dimension}, in the order of the file`,
    );
  }
  const profile = profileNamed(options.profile ?? collection.profile);
  const ids = Array.from({ length: source.rows }, (_, row) => source.id(row));
  for (const note of judgmentNotes(collection, ids, { profile: profile.name })) console.error(note);
  const measures = options.measures ?? collection.measures;
  const cutoffs = measures.map((name) => Number(/@(\d+)$/.exec(name)?.[1] ?? 0));
  const k = Math.max(options.depth ?? collection.depth, ...cutoffs);
  const drops = profile.identicalIds === 'drop';
  const bar = progressBar('searching', source.rows, 'passages');
  const hits = await searchTopK({
    executor,
    queries,
    source,
    // One more where the profile removes the query's own document, or, if it was not found, the last one.
    k: drops ? k + 1 : k,
    ties: profile.ties,
    onProgress: (done) => bar.update(done),
  });
  bar.stop();
  const rankings = hits.map(({ rows, scores }, index): RunRanking => {
    const query = collection.queries[index]!.id;
    const itself = drops ? rows.findIndex((row) => source.id(row) === query) : -1;
    const kept = (_: number, rank: number) => rank !== itself;
    return {
      query,
      ids: Array.from(rows.filter(kept).subarray(0, k), (row) => source.id(row)),
      scores: scores.filter(kept).subarray(0, k),
    };
  });
  if (run !== undefined) {
    await writeRun(run, rankings);
    console.log(`${run} written`);
  }
  return evaluateRankings(
    collection,
    rankings.map(({ ids }) => ids),
    source.rows,
    { profile: profile.name, measures },
  );
}

interface OpenCorpus {
  readonly source: VectorSource;
  readonly close: () => Promise<void>;
}

/** The corpus in a store: in `--store`, where it stays, or in a temporary folder. */
async function encodedCorpus(
  encoder: Encoder,
  collection: AdHocCollection,
  options: EvalOptions,
): Promise<OpenCorpus> {
  const temporary = options.store === undefined ? temporaryFolder() : undefined;
  const folder = temporary?.path ?? join(options.store!, collection.name);
  const discard = async () => temporary?.remove();
  try {
    const key = { ...encoder.passageKey, corpus: collection.name };
    const store = await openChecked(folder, key, encoder.dimension);
    try {
      const encode = (signal?: AbortSignal) => {
        const bar = progressBar(`encoding ${collection.name}`, 0, 'passages');
        const done = encodeCorpus({
          store,
          corpus: collection.corpus(),
          encode: (texts) => encoder.passageChunk(texts),
          ...(signal ? { signal } : {}),
          onProgress: (count) => bar.update(count),
        });
        return done.finally(() => bar.stop());
      };
      await (temporary ? encode() : stoppable(encode, () => stoppedIn(folder, store)));
    } catch (error) {
      await store.close();
      throw error;
    }
    return { source: store, close: () => store.close().then(discard) };
  } catch (error) {
    await discard();
    throw error;
  }
}

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A folder of which nothing stays, not even where Ctrl-C ends the process. */
function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'synglot-store-'));
  const remove = () => {
    for (const signal of endings) process.off(signal, onSignal);
    rmSync(path, { recursive: true, force: true });
  };
  const onSignal = (signal: NodeJS.Signals) => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of endings) process.on(signal, onSignal);
  return { path, remove };
}

/** The corpus's embeddings in a file, in the corpus's order. */
async function givenCorpus(collection: AdHocCollection, options: EvalOptions): Promise<OpenCorpus> {
  const ids: string[] = [];
  for await (const { id } of collection.corpus()) ids.push(id);
  const path = options.passageEmbeddings!;
  const file = await openMatrix(path);
  return { source: withIds(file, ids, path), close: () => file.close() };
}

/** Evaluates bitexts: accuracy at 1 in both directions. */
export async function evaluateBitexts(
  executor: Executor,
  bitexts: readonly Bitext[],
  options: EvalOptions,
): Promise<void> {
  if (!options.model) {
    throw new EvaluationError('INPUT_EMBEDDINGS', 'bitexts are evaluated with a model; give --model');
  }
  const encoder = await openEncoder(executor, { ...options, model: options.model, oneKind: true });
  const reports: BitextReport[] = [];
  const bar = progressBar('bitexts', bitexts.length, 'bitexts');
  for (const bitext of bitexts) {
    const [first, second] = bitext.sentences;
    // One prompt for both sides: neither is a question.
    const embeddings = await Promise.all([encoder.passageChunk(first), encoder.passageChunk(second)]);
    reports.push(await evaluateBitext(executor, bitext, embeddings, encoder.dimension));
    bar.update(reports.length);
  }
  bar.stop();
  console.log(bitextTable(reports));
  if (!options.json) return;
  await writeJson(options.json, {
    task: options.task,
    model: options.model,
    data: options.data,
    max_length: options.maxLength,
    device: executor.device.name,
    executor: executor.kind,
    reports,
  });
  console.log(`${options.json} written`);
}
