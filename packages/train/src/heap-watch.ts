/**
 * Refuses more training pairs than the process has memory for, in a line: where its heap is full, Node ends with a
 * trace of machine code. It frees nothing.
 */
import { getHeapStatistics } from 'node:v8';
import { TrainError } from './errors.js';

/** What is asked of V8. */
export interface HeapSizes {
  readonly used_heap_size: number;
  readonly heap_size_limit: number;
}

/** Pairs between two looks at the heap. */
const every = 1024;
/** Looks of which the lowest counts: what is above it may be garbage that nobody has collected yet. */
const looks = 16;
/** Of the limit: tables that grow double at once, and training needs some too. */
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

  /** To be called for each pair. @throws TrainError `INPUT_CONFIG` where the heap stays nearly full */
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
