/** `synglot search`: the best passages of a store, or of a matrix file, for many queries, as a TREC run. */
import { readLines, readQueries } from '@synglot/data/files';
import { EvaluationError, searchTopK, type VectorSource } from '@synglot/eval';
import { checkTrecIds, EmbeddingStore, openMatrix, readMatrix, withIds, writeRun } from '@synglot/eval/files';
import type { Executor } from '@synglot/gpu';
import { Command } from 'commander';
import { progressBar } from '../progress.js';
import { openEncoder, openModel } from './eval-encoder.js';
import {
  checkNotInput,
  checkOutputFile,
  type DeviceOptions,
  openDevice,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

interface SearchOptions extends DeviceOptions {
  readonly store?: string;
  readonly passageEmbeddings?: string;
  readonly passageIds?: string;
  readonly queries?: string;
  readonly queryEmbeddings?: string;
  readonly model?: string;
  readonly queryPrefix?: string;
  readonly maxLength?: number;
  readonly topK: number;
  readonly saveRun: string;
}

export function searchCommand(): Command {
  const command = new Command('search')
    .description('exact search: the best passages for each query, written as a TREC run')
    .option('--store <folder>', 'passages, as `synglot index` made them')
    .option('--passage-embeddings <file>', 'or a .npy, .safetensors or .parquet file of them')
    .option('--passage-ids <file>', 'their ids, one a line; default: the row, from 0')
    .option('--queries <file>', 'id and text, in TSV, JSONL or TREC topics')
    .option('--model <folder or hub id>', 'checkpoint that the store was made with')
    .option(
      '--query-embeddings <file>',
      'or a .npy, .safetensors or .parquet file of them, in the order of --queries',
    )
    .option('--query-prefix <text>', "put in front of queries; default: the model's")
    .option('--max-length <tokens>', 'longest text in tokens', wholeNumber(3))
    .option('--top-k <count>', 'passages for each query', wholeNumber(1), 100)
    .requiredOption('--save-run <file>', 'run to write: query Q0 passage rank score tag');
  return withDeviceOptions(command).action(async (options: SearchOptions) => {
    checkIdle(options);
    await checkOutputFile(options.saveRun);
    const { queries, queryEmbeddings, passageEmbeddings, passageIds } = options;
    await checkNotInput(
      options.saveRun,
      [queries, queryEmbeddings, passageEmbeddings, passageIds],
      '--save-run',
    );
    const { source, close } = await openSource(options);
    try {
      await search(source, options);
    } finally {
      await close();
    }
  });
}

/** Files come before the device: what is wrong with one is told at once. */
async function search(source: VectorSource, options: SearchOptions): Promise<void> {
  if (source.rows === 0) {
    throw new EvaluationError(
      'INPUT_STORE',
      `${options.store ?? options.passageEmbeddings}: holds no passages; a store gets them from 'synglot index --corpus'`,
    );
  }
  const topics = options.queries ? await readQueries(options.queries, 'und') : undefined;
  if (topics) checkIds(options.queries!, topics);
  await checkTrecIds(topics ?? [], options.queries!);
  await checkTrecIds(passagesOf(source, options), options.store!);
  const given = options.queryEmbeddings
    ? (await readMatrix(options.queryEmbeddings, source.dimension)).data
    : undefined;
  const ids = topics?.map(({ id }) => id) ?? numbered((given?.length ?? 0) / source.dimension);
  if (given) checkCount(given, ids.length, source);
  const encode = given ? undefined : await queryEncoding(source, topics, options);
  const executor = await openDevice(options);
  try {
    const queries = given ?? (await encode!(executor));
    checkCount(queries, ids.length, source);
    const bar = progressBar('searching', source.rows, 'passages');
    const started = performance.now();
    const hits = await searchTopK({
      executor,
      queries,
      source,
      k: options.topK,
      onProgress: (done) => bar.update(done),
    });
    bar.stop();
    const seconds = (performance.now() - started) / 1000;
    await writeRun(
      options.saveRun,
      hits.map(({ rows, scores }, q) => ({
        query: ids[q]!,
        ids: Array.from(rows, (row) => source.id(row)),
        scores,
      })),
    );
    const each = ((1000 * seconds) / ids.length).toFixed(2);
    console.log(
      `${options.saveRun}: ${ids.length} queries, ${source.rows} passages, ${seconds.toFixed(1)} s, ${each} ms a query`,
    );
  } finally {
    executor.destroy();
  }
}

/** @throws EvaluationError `INPUT_STORE`, `INPUT_EMBEDDINGS` for an option that another one leaves without effect */
function checkIdle(options: SearchOptions): void {
  if (options.store !== undefined && options.passageEmbeddings !== undefined) {
    throw new EvaluationError('INPUT_STORE', 'give either --store or --passage-embeddings');
  }
  if (options.passageIds !== undefined && options.passageEmbeddings === undefined) {
    throw new EvaluationError(
      'INPUT_STORE',
      '--passage-ids goes with --passage-embeddings; a store has its ids',
    );
  }
  const ofEncoding = { model: '--model', queryPrefix: '--query-prefix', maxLength: '--max-length' } as const;
  const idle = Object.entries(ofEncoding).find(
    ([key]) => options[key as keyof typeof ofEncoding] !== undefined,
  );
  if (options.queryEmbeddings !== undefined && idle) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `embeddings of the queries are given: leave ${idle[1]} out`,
    );
  }
}

/** @throws EvaluationError `INPUT_COLLECTION` for an id of two queries: a run has one ranking for each */
function checkIds(file: string, topics: readonly { readonly id: string }[]): void {
  const ids = new Set<string>();
  for (const { id } of topics) {
    if (ids.has(id)) {
      throw new EvaluationError(
        'INPUT_COLLECTION',
        `${file}: two queries have the id "${id}"; ids must be unique, as a run has one ranking for each`,
      );
    }
    ids.add(id);
  }
}

function* passagesOf(source: VectorSource, { passageIds }: SearchOptions) {
  for (let row = 0; row < source.rows; row++) {
    const id = source.id(row);
    yield passageIds === undefined ? { id } : { id, where: `${passageIds}:${row + 1}` };
  }
}

async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of readLines(file)) lines.push(text);
  return lines;
}

async function openSource(
  options: SearchOptions,
): Promise<{ source: VectorSource; close: () => Promise<void> }> {
  if (options.store !== undefined) {
    const store = await EmbeddingStore.open(options.store);
    if (!store.complete) console.error(`${options.store}: unfinished; ${store.rows} passages are searched`);
    return { source: store, close: () => store.close() };
  }
  const path = options.passageEmbeddings;
  if (path === undefined) {
    throw new EvaluationError('INPUT_STORE', 'nothing to search: give --store or --passage-embeddings');
  }
  const file = await openMatrix(path);
  const ids = options.passageIds ? await linesOf(options.passageIds) : numbered(file.rows);
  return { source: withIds(file, ids, path), close: () => file.close() };
}

/** @throws EvaluationError `INPUT_EMBEDDINGS` for embeddings that are not those of the queries, of the source's length */
function checkCount(values: Float32Array, queries: number, { dimension }: VectorSource): void {
  if (queries * dimension === values.length) return;
  throw new EvaluationError(
    'INPUT_EMBEDDINGS',
    `${values.length} values of query embeddings, expected ${queries} queries x ${dimension}`,
  );
}

/** Opens the model's files; what it gives back encodes the queries on a device. */
async function queryEncoding(
  source: VectorSource,
  topics: readonly { readonly text: string }[] | undefined,
  options: SearchOptions,
): Promise<(executor: Executor) => Promise<Float32Array>> {
  const { model } = options;
  if (topics === undefined || model === undefined) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      'no queries: give --queries and --model, or --query-embeddings',
    );
  }
  const opened = await openModel(model);
  return async (executor) => {
    const encoder = await openEncoder(executor, { ...options, model, opened });
    const made = source instanceof EmbeddingStore ? source.key.model : undefined;
    if (made !== undefined && made !== encoder.passageKey.model) {
      throw new EvaluationError(
        'INPUT_STORE',
        `${options.store}: made with another model than ${model}; name the model it was made with`,
      );
    }
    return encoder.queries(topics.map(({ text }) => text));
  };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}
