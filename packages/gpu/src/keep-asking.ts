/**
 * Asks a device whether it is done, again and again. Firefox looks by itself at intervals that are long beside a
 * training step on a GPU, and at once when something is submitted: an empty submission is the least that can be.
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
