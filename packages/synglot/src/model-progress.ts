/** Progress of a model that is fetched from the hub, on standard error. */
import type { HubProgress } from '@synglot/models';
import { type Progress, progressBar } from './progress.js';

/** A receiver for `openCheckpoint`'s `onProgress`: one bar a file on a terminal, one line elsewhere. */
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
