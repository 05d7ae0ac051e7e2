/**
 * Keeps work of seconds or minutes responsive: it reports progress and lets other tasks run, Ctrl-C among them. It
 * decides nothing about what is trained or encoded.
 */

/** How far the training of a tokenizer, or of pieces to add to one, is. */
export interface TokenizerProgress {
  /** `texts`: they are read; `words`: they are normalised and split; `pieces`: the vocabulary is chosen. */
  readonly stage: 'texts' | 'words' | 'pieces';
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
}

/** Longest time without letting other tasks run. */
const turnMs = 50;

/** Counts what is done of a stage, and pauses now and then. */
export class Pace {
  readonly #onProgress: ((progress: TokenizerProgress) => void) | undefined;
  #stage: TokenizerProgress['stage'] = 'texts';
  #total = 0;
  #last = performance.now();
  /** How much of the stage is done. */
  done = 0;

  constructor(onProgress?: (progress: TokenizerProgress) => void) {
    this.#onProgress = onProgress;
  }

  begin(stage: TokenizerProgress['stage'], total: number): void {
    this.#stage = stage;
    this.#total = total;
    this.done = 0;
  }

  /** Check it after each piece of work; when it is true, call {@link pause}. */
  get isDue(): boolean {
    return performance.now() - this.#last >= turnMs;
  }

  /** Reports progress and lets other tasks run. */
  async pause(): Promise<void> {
    this.#onProgress?.({ stage: this.#stage, done: this.done, total: this.#total });
    await nextTask();
    this.#last = performance.now();
  }
}

/** Lets other tasks run. Not a timer: in a page in the background they fire once a second. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
