/**
 * Refuses more training pairs than fit in memory, with an error of one line: when its heap is full, Node aborts with a
 * trace of machine code. It frees nothing.
 */
import { getHeapStatistics } from 'node:v8';
import { TrainError } from './errors.js';

/** What V8 reports. */
export interface HeapSizes {
  readonly used_heap_size: number;
  readonly heap_size_limit: number;
}

/** Pairs between two looks at the heap. */
const every = 1024;
/** The lowest of so many looks counts: what is above it may be garbage that was not collected yet. */
const looks = 16;
/** Share of the limit: tables double when they grow, and training needs memory too. */
const mostShare = 0.8;

/** Looks at the heap now and then while pairs are read. */
export class HeapWatch {
  readonly #measure: () => HeapSizes;
  #pairs = 0;
  #looks = 0;
  #lowest = Number.POSITIVE_INFINITY;

  constructor(measure: () => HeapSizes = getHeapStatistics) {
    this.#measure = measure;
  }

  /** To be called for each pair. @throws TrainError `INPUT_CONFIG` if the heap stays nearly full */
  addPair(): void {
    this.#pairs++;
    if (this.#pairs % every !== 0) return;
    const { used_heap_size: used, heap_size_limit: limit } = this.#measure();
    this.#lowest = Math.min(this.#lowest, used);
    this.#looks = (this.#looks + 1) % looks;
    if (this.#looks !== 0) return;
    if (this.#lowest > mostShare * limit) {
      const megabytes = Math.round(limit / 2 ** 20);
      throw new TrainError(
        'INPUT_CONFIG',
        `the first ${this.#pairs} training pairs fill the ${megabytes} MB that Node takes; set \`limit\` or \`langs\`, or give it more: NODE_OPTIONS=--max-old-space-size=${4 * megabytes}`,
      );
    }
    this.#lowest = Number.POSITIVE_INFINITY;
  }
}
