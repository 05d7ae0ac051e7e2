/**
 * The chi-square distribution's upper tail, by the incomplete gamma function: its series below the mean, its continued
 * fraction above (DLMF 8.7.1 and 8.9.2). Degrees of freedom are whole, so the gamma function itself is exact products.
 */

/** Below it a term adds nothing to a sum in doubles. */
const epsilon = 2 ** -53;

/**
 * Probability that a chi-square variable exceeds `x`; relative error below 1e-12 while the result is above 1e-300.
 *
 * @param x from 0
 * @param freedom degrees of freedom, a whole number from 1
 */
export function chiSquareTail(x: number, freedom: number): number {
  const [shape, at] = [freedom / 2, x / 2];
  if (at === 0) return 1;
  const scale = Math.exp(shape * Math.log(at) - at - logGamma(shape));
  return at < shape + 1 ? 1 - scale * lowerSeries(shape, at) : scale * upperFraction(shape, at);
}

/** Logarithm of the gamma function at a multiple of 1/2. */
function logGamma(shape: number): number {
  let sum = Number.isInteger(shape) ? 0 : Math.log(Math.PI) / 2;
  for (let factor = shape - 1; factor > 0; factor--) sum += Math.log(factor);
  return sum;
}

/** Sum of at^n / (shape (shape + 1) … (shape + n)). */
function lowerSeries(shape: number, at: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let n = 1; term > sum * epsilon; n++) {
    term *= at / (shape + n);
    sum += term;
  }
  return sum;
}

/** 1 / (at + 1 - shape - 1 (1 - shape) / (at + 3 - shape - …)), from the front by Lentz's method. */
function upperFraction(shape: number, at: number): number {
  let b = at + 1 - shape;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; ; n++) {
    const a = -n * (n - shape);
    b += 2;
    d = 1 / (b + a * d);
    c = b + a / c;
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < 4 * epsilon) return fraction;
  }
}
