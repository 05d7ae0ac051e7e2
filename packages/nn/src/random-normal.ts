/**
 * Normal random numbers that are a pure function of a seed and a row: Box-Muller on mulberry32.
 *
 * Fresh weights are made of these. Dropout masks are not: they are drawn on the device (dropout-mask.ts).
 */

/** Numbers in [0, 1): mulberry32, multiples of 2⁻³². */
export function uniformStream(seed: number, row: number): () => number {
  let state = firstState(seed, row);
  return () => {
    state = (state + increment) | 0;
    return mulberry(state) / 2 ** 32;
  };
}

/** Standard normal numbers. */
export function normalStream(seed: number, row: number): () => number {
  const uniform = uniformStream(seed, row);
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * Fills values[begin, end) with the first numbers of `normalStream(seed, row)` times `scale`: the same bits, several
 * times faster.
 *
 * Logarithm, sine and cosine come from tables and short series, whose errors `tolerance` bounds. If everything within
 * that bound rounds to the same f32, that is the result; otherwise, which is rare, the library's functions decide.
 */
export function fillNormal(
  values: Float32Array,
  begin: number,
  end: number,
  seed: number,
  row: number,
  scale: number,
): void {
  // The fast way is for scales far from where f32 loses its precision or the sign of a zero would count.
  if (!(scale > 1e-20 && scale < 1e20)) {
    const random = normalStream(seed, row);
    for (let i = begin; i < end; i++) values[i] = random() * scale;
    return;
  }
  let state = firstState(seed, row);
  for (let i = begin; i < end; i += 2) {
    const first = (state + increment) | 0;
    state = (first + increment) | 0;
    const u = mulberry(first);
    const v = mulberry(state);
    const length = Math.sqrt(-2 * logarithmBelow1(u)) * scale;

    // x is how far 2π · v lies from the middle of its step in the table: sine and cosine of a sum of angles.
    const at = v >>> 22;
    const x = ((v & 0x3fffff) - 0x200000) * turn;
    const square = x * x;
    const sine = x * (1 - square / 6);
    const cosine = 1 - square * (1 / 2 - square / 24);
    const s = sines[at] as number;
    const c = cosines[at] as number;

    const error = length * tolerance;
    const one = length * (c * cosine - s * sine);
    const other = length * (s * cosine + c * sine);
    const oneRounded = Math.fround(one - error);
    const otherRounded = Math.fround(other - error);
    const sure = oneRounded === Math.fround(one + error) && otherRounded === Math.fround(other + error);
    // A radius of 0 leaves the sign of the zeros to the library.
    if (sure && error > 0) {
      values[i] = oneRounded;
      if (i + 1 < end) values[i + 1] = otherRounded;
    } else {
      const exactRadius = Math.sqrt(-2 * Math.log(1 - u / 2 ** 32));
      const angle = 2 * Math.PI * (v / 2 ** 32);
      values[i] = exactRadius * Math.cos(angle) * scale;
      if (i + 1 < end) values[i + 1] = exactRadius * Math.sin(angle) * scale;
    }
  }
}

/** ln(1 - u / 2³²), as near as `tolerance` allows. */
function logarithmBelow1(u: number): number {
  // Near 0, the sum below would cancel.
  if (u < smallest) return Math.log(1 - u / 2 ** 32);
  // 1 - u = 2^(-1 - zeros) · mantissa, the mantissa in [1, 2) near one of the table's.
  const rest = -u | 0;
  const zeros = Math.clz32(rest);
  const mantissa = (rest << zeros) >>> 0;
  const place = (mantissa >>> 21) & 1023;
  const r = mantissa * 2 ** -31 * (inverses[place] as number) - 1;
  const series = r * (1 - r * (1 / 2 - r * (1 / 3 - r / 4)));
  return (logarithms[place] as number) + series - (zeros + 1) * Math.LN2;
}

const increment = 0x6d2b79f5;

/** Uniforms below 2⁻⁷ take the library's logarithm. */
const smallest = 2 ** 25;
const turn = (2 * Math.PI) / 2 ** 32;
/**
 * Relative to the radius. The logarithm is off by less than 4 · 10⁻¹⁶ and is at least 2⁻⁷, so its root is off by less
 * than 3 · 10⁻¹⁴ of it; the series of the sine by x⁵ / 120 < 3 · 10⁻¹⁵; the angle that the library is given by
 * 2 · 10⁻¹⁵. The bound is several times their sum.
 */
const tolerance = 2 ** -42;

/** For 1024 steps of [1, 2): the inverse of each step's middle and its logarithm; for 1024 of the circle: sine, cosine. */
const { inverses, logarithms, sines, cosines } = makeTables();

function makeTables() {
  const steps = Array.from({ length: 1024 }, (_, step) => (step + 0.5) / 1024);
  const inverses = Float64Array.from(steps, (step) => 1 / (1 + step));
  return {
    inverses,
    logarithms: inverses.map((inverse) => -Math.log(inverse)),
    sines: Float64Array.from(steps, (step) => Math.sin(2 * Math.PI * step)),
    cosines: Float64Array.from(steps, (step) => Math.cos(2 * Math.PI * step)),
  };
}

/** One output of mulberry32, an unsigned integer of 32 bits. */
function mulberry(state: number): number {
  let value = Math.imul(state ^ (state >>> 15), state | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return (value ^ (value >>> 14)) >>> 0;
}

function firstState(seed: number, row: number): number {
  return mix(mix(seed >>> 0) ^ row) | 0;
}

function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}
