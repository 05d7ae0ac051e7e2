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

const restShare = 0.8;
/** After a run without a rest, which the asking may have slowed down: it takes a core. */
const firstShare = 0.5;
/** Timers fire late by up to this. */
const timerMs = 2;

/** Rests through most of what the same work took the last time. */
export class Rest {
  #ms: number | undefined;

  /** How long to rest before asking; 0 where it is not worth it. */
  get ms(): number {
    return this.#ms ?? 0;
  }

  /** Rests, then waits for what `ask` promises. */
  async until<T>(ask: () => Promise<T>): Promise<T> {
    const { ms } = this;
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    const asked = performance.now();
    const result = await ask();
    this.took(ms, performance.now() - asked);
    return result;
  }

  /** After a rest of `restMs`, the work was waited for `waitedMs` more. */
  took(restMs: number, waitedMs: number): void {
    // The first time, drivers compile.
    if (this.#ms === undefined) this.#ms = 0;
    // It was done before; how long before is not known.
    else if (restMs > 0 && waitedMs < timerMs) this.#ms = Math.floor(restMs / 2);
    else {
      const share = restMs > 0 ? restShare : firstShare;
      this.#ms = Math.max(0, Math.floor(share * (restMs + waitedMs) - timerMs));
    }
  }
}
