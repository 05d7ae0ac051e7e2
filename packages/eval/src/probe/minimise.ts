/** L-BFGS: minimises a smooth function to convergence, in double precision. Knows nothing about the function. */

/** Value at `x`; writes the gradient into `gradient`. */
export type SmoothFunction = (x: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  /** Converged where no element of the gradient is larger. Default 1e-5. */
  readonly tolerance?: number;
  /** Default 1,000. */
  readonly iterations?: number;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Pairs of steps and changes of the gradient that are remembered. */
const memory = 10;

/**
 * Liu & Nocedal 1989, with a backtracking line search (Armijo); for convex functions.
 *
 * @param start is not changed
 */
export function minimise(f: SmoothFunction, start: Float64Array, options: MinimiseOptions = {}): Minimum {
  const { tolerance = 1e-5, iterations = 1000 } = options;
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = f(x, gradient);
  const pairs: { readonly s: Float64Array; readonly y: Float64Array; readonly sy: number }[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    if (largest(gradient) <= tolerance) return { x, value, iterations: iteration, converged: true };
    const direction = descent(gradient, pairs);
    const slope = dot(gradient, direction);
    let step = pairs.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1;
    const next = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 50; tries++, step /= 2) {
      for (let i = 0; i < x.length; i++) next[i] = (x[i] as number) + step * (direction[i] as number);
      nextValue = f(next, nextGradient);
      if (nextValue <= value + 1e-4 * step * slope) break;
    }
    // No more progress: all that is left is rounding.
    if (!(nextValue < value)) return { x, value, iterations: iteration, converged: false };
    const s = next.map((entry, i) => entry - (x[i] as number));
    const y = nextGradient.map((entry, i) => entry - (gradient[i] as number));
    const sy = dot(s, y);
    if (sy > 1e-12 * dot(y, y)) pairs.push({ s, y, sy });
    if (pairs.length > memory) pairs.shift();
    [x, gradient, value] = [next, nextGradient, nextValue];
  }
  return { x, value, iterations, converged: largest(gradient) <= tolerance };
}

/** Minus the gradient times the remembered inverse curvature: the two-loop recursion. */
function descent(
  gradient: Float64Array,
  pairs: readonly { readonly s: Float64Array; readonly y: Float64Array; readonly sy: number }[],
): Float64Array {
  const q = gradient.map((value) => -value);
  const alphas: number[] = [];
  for (const { s, y, sy } of pairs.toReversed()) {
    const alpha = dot(s, q) / sy;
    alphas.push(alpha);
    add(q, y, -alpha);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = last.sy / dot(last.y, last.y);
    for (let i = 0; i < q.length; i++) q[i] = (q[i] as number) * scale;
  }
  for (const { s, y, sy } of pairs) add(q, s, (alphas.pop() as number) - dot(y, q) / sy);
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function add(into: Float64Array, x: Float64Array, scale: number): void {
  for (let i = 0; i < x.length; i++) into[i] = (into[i] as number) + scale * (x[i] as number);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
