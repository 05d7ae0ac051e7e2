/** `synglot index`: a corpus into a store of embeddings; it goes on where it was stopped. */
import { DataError } from '@synglot/data';
import { expandPaths, readCorpus } from '@synglot/data/files';
import { EmbeddingStore, encodeCorpus, type StoreKey } from '@synglot/eval/files';
import { Command } from 'commander';
import { type Progress, progressBar } from '../progress.js';
import { openEncoder, openModel } from './eval-encoder.js';
import { type DeviceOptions, openDevice, wholeNumber, withDeviceOptions } from './options.js';
import { stoppable } from './stoppable.js';

interface IndexOptions extends DeviceOptions {
  readonly model: string;
  readonly corpus: string[];
  readonly store: string;
  readonly passagePrefix?: string;
  readonly maxLength?: number;
  readonly commitSeconds: number;
}

export function indexCommand(): Command {
  const command = new Command('index')
    .description('encode a corpus into a store on disk; run again, it goes on where it stopped')
    .requiredOption('--model <folder or hub id>', 'checkpoint')
    .requiredOption('--corpus <files...>', 'JSONL with _id, title and text, or TSV with id and text; .gz too')
    .requiredOption('--store <folder>', 'where the embeddings are kept')
    .option('--passage-prefix <text>', "put in front of passages; default: the model's")
    .option('--max-length <tokens>', 'longest text in tokens', wholeNumber(3))
    .option('--commit-seconds <seconds>', 'write to the disk that often; 0: at once', wholeNumber(0), 1);
  return withDeviceOptions(command).action(async (options: IndexOptions) => {
    // Before the device is opened and the store is made: a name that is mistyped leaves none.
    const corpus = await expandPaths(options.corpus);
    const opened = await openModel(options.model);
    const executor = await openDevice(options);
    try {
      const encoder = await openEncoder(executor, { ...options, opened });
      const store = await openChecked(options.store, encoder.passageKey, encoder.dimension);
      try {
        const before = store.rows;
        if (before > 0) console.error(`${options.store}: ${before} passages are there`);
        const work = (signal: AbortSignal) => {
          const bar = progressBar('encoding', 0, 'passages');
          const done = encodeCorpus({
            store,
            corpus: readCorpus(corpus),
            encode: (texts) => encoder.passageChunk(texts),
            commitMs: 1000 * options.commitSeconds,
            signal,
            onProgress: (count) => bar.update(count),
          });
          return done.finally(() => bar.stop());
        };
        const { passages, encoded } = await stoppable(work, () => stoppedIn(options.store, store));
        if (passages === 0) {
          throw new DataError('INPUT_EMPTY', `${options.corpus.join(', ')}: there is no passage in it`);
        }
        console.log(`${options.store}: ${passages} passages, ${encoded} encoded now`);
      } finally {
        await store.close();
      }
    } finally {
      executor.destroy();
    }
  });
}

/** Opens a store for appending. Its rows are read, which may be tens of gigabytes: with a bar. */
export async function openChecked(folder: string, key: StoreKey, dimension: number): Promise<EmbeddingStore> {
  let bar: Progress | undefined;
  const store = await EmbeddingStore.open(folder, {
    create: { key, dimension },
    verify: true,
    onVerify: (done, rows) => {
      bar ??= progressBar('checking', rows, 'passages');
      bar.update(done);
    },
  });
  bar?.stop();
  return store;
}

/** What is told of a store whose encoding was stopped: the chunk at hand was kept. */
export function stoppedIn(folder: string, { rows }: EmbeddingStore): string {
  return `stopped; ${rows} passages are in ${folder}, run again to go on`;
}
