/** How ops that share an input add up its gradient in one tensor. */
import type { Activation, Graph } from '../graph.js';
import { addInto } from './elementwise.js';

/** A gradient with several writers: the first overwrites, those after it add, in the order of the calls. */
export class GradientSum {
  readonly total: Activation;
  readonly #g: Graph;
  #written = false;

  constructor(g: Graph, name: string, like: Activation) {
    this.#g = g;
    this.total = g.activation(name, like.axis, like.columns);
  }

  /** Has `emit` write into the sum: overwriting it, or adding to it if `accumulate`. */
  write(emit: (into: Activation, accumulate: boolean) => void): void {
    emit(this.total, this.#written);
    this.#written = true;
  }

  /** Sets the sum to zero if nothing was written yet: for writers that cover only a part of it. */
  clearFirst(): void {
    if (!this.#written) this.#g.plan.clear(this.total.tensor);
    this.#written = true;
  }

  /** Adds a gradient that has a tensor of its own. */
  add(gradient: Activation, label: string): void {
    this.clearFirst();
    addInto(this.#g, gradient, this.total, label);
  }

  /** The sum; zero if nothing was written. */
  finish(): Activation {
    this.clearFirst();
    return this.total;
  }
}
