/** Progress of a model that is fetched from the hub or embeds texts, or of a tokenizer that is trained, on standard error. */
import type {
  EmbeddingModel,
  EmbedOptions,
  HubProgress,
  TextInput,
  TokenizerProgress,
} from '@synglot/models';
import { type Progress, progressBar } from './progress.js';

/** A receiver for `openCheckpoint`'s `onProgress`: one bar per file on a terminal, one line elsewhere. */
export function hubProgress(): (progress: HubProgress) => void {
  let current = '';
  let bar: Progress | undefined;
  return ({ file, doneBytes, totalBytes }) => {
    if (file !== current) {
      bar?.stop();
      current = file;
      bar = progressBar(`fetching ${file}`, Math.ceil(totalBytes / 2 ** 20), 'MiB');
      if (!process.stderr.isTTY) console.error(`fetching ${file}, ${(totalBytes / 2 ** 20).toFixed(1)} MiB`);
    }
    bar?.update(Math.ceil(doneBytes / 2 ** 20));
    if (doneBytes >= totalBytes) bar?.stop();
  };
}

/** `model.embed` with a bar. */
export async function embedTexts(
  model: EmbeddingModel,
  label: string,
  texts: readonly TextInput[],
  options: EmbedOptions,
): Promise<Float32Array> {
  const bar = progressBar(label, texts.length, 'texts');
  const vectors = await model.embed(texts, { ...options, onProgress: (done) => bar.update(done) });
  bar.stop();
  return vectors;
}

const stages = {
  texts: ['reading', 'texts'],
  words: ['splitting', 'words'],
  pieces: ['choosing a vocabulary:', 'pieces'],
} as const satisfies Record<TokenizerProgress['stage'], readonly [label: string, unit: string]>;

/** A receiver for the progress of a tokenizer's training: one bar per stage. `stop` ends the last one. */
export function tokenizerProgress(open = progressBar): {
  readonly onProgress: (progress: TokenizerProgress) => void;
  readonly stop: () => void;
} {
  let current = '';
  let bar: Progress | undefined;
  return {
    onProgress({ stage, done, total }) {
      const key = `${stage} ${total}`;
      if (key !== current) {
        current = key;
        bar?.stop();
        bar = open(stages[stage][0], total, stages[stage][1]);
      }
      bar?.update(done);
    },
    stop: () => bar?.stop(),
  };
}
