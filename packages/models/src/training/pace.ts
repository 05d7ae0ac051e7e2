/**
 * How far a training of seconds or minutes is: who asked is told, and other tasks have their turn, Ctrl-C among them.
 * It decides nothing about what is trained.
 */

/** How far the training of a tokenizer, or of pieces to add to one, is. */
export interface TokenizerProgress {
  /** `texts`: they are read; `words`: they are normalised and split; `pieces`: the vocabulary is chosen. */
  readonly stage: 'texts' | 'words' | 'pieces';
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
}

/** Longest time without a turn for others. */
const turnMs = 50;

/** Knows what is being done, and has a pause now and then. */
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

  /** To be asked after each piece of work; where it is true, {@link pause} is due. */
  get isDue(): boolean {
    return performance.now() - this.#last >= turnMs;
  }

  /** Tells how far it is, and lets others go on. */
  async pause(): Promise<void> {
    this.#onProgress?.({ stage: this.#stage, done: this.done, total: this.#total });
    await nextTask();
    this.#last = performance.now();
  }
}

/** Ends the turn of this task. A timer would do it once a second in a page that is not looked at. */
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
