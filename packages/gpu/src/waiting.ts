/**
 * How the webgpu executor waits for its device. Firefox looks for finished work by itself at intervals that are long
 * beside a training step on a GPU, and at once when something is submitted: an empty submission is the least that can be.
 * npm `webgpu` looks without a pause while a promise waits, which keeps a core busy: there the promise is made late.
 */
import type {} from './webgpu-types.js';

const firstAfterMs = 1;
const everyMs = 8;

/** Asks from now on until the returned function is called. */
export function keepAsking(queue: GPUQueue): () => void {
  let delay = firstAfterMs;
  const ask = () => {
    queue.submit([]);
    delay = Math.min(2 * delay, everyMs);
    timer = setTimeout(ask, delay);
  };
  let timer = setTimeout(ask, delay);
  return () => clearTimeout(timer);
}

const remembered = 4;
const restShare = 0.8;
/** Timers fire late by up to this. */
const timerMs = 2;

/** Rests through most of what the same work took lately, at its shortest. */
export class Rest {
  #tookMs: readonly number[] = [];

  /** How long to rest before asking; 0 where it is not worth it. */
  get ms(): number {
    if (this.#tookMs.length === 0) return 0;
    return Math.max(0, Math.floor(restShare * Math.min(...this.#tookMs) - timerMs));
  }

  /** Rests, then waits for what `ask` promises. */
  async until<T>(ask: () => Promise<T>): Promise<T> {
    const { ms } = this;
    const begin = performance.now();
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    const result = await ask();
    this.took(performance.now() - begin);
    return result;
  }

  /** The work took so long. Where it was shorter than the rest, that is known at the next rests, one share at a time. */
  took(ms: number): void {
    this.#tookMs = [...this.#tookMs, ms].slice(-remembered);
  }
}
