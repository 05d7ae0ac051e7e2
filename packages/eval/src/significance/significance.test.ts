import { expect, test } from 'vitest';
import { seeded } from '../testing/random.js';
import { bootstrapInterval, pairedBootstrap } from './bootstrap.js';
import { adjusted } from './correction.js';
import { randomisationTest } from './randomisation.js';
import { meanIntervals } from './report-samples.js';
import { macroMean, plainSample, sampleOf } from './sample.js';

/** Nearly normal, mean 0, standard deviation 1. */
function normals(count: number, random: () => number): number[] {
  return Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random();
    return sum;
  });
}

test('the exact randomisation test, counted by hand', () => {
  // Sums over all signs of (1, 2, 3): ±6, ±4, ±2, 0, 0; two of the eight reach 6.
  const zero = plainSample([0, 0, 0, 0]);
  const result = randomisationTest(plainSample([1, 2, 3, 0]), zero);
  expect(result).toEqual({ difference: 1.5, p: 2 / 8, method: 'exact randomisation' });
  expect(randomisationTest(zero, zero)).toEqual({ difference: 0, p: 1, method: 'exact randomisation' });
});

test('differences that cancel out are none, whatever rounding leaves of their sum', () => {
  const [a, b] = [plainSample([0.1, 0.2, 0, 0.6]), plainSample([0, 0, 0.3, 0.6])];
  const result = randomisationTest(a, b);
  expect(result.difference).not.toBe(0);
  expect(result.p).toBe(1);
  expect(pairedBootstrap(a, b, { resamples: 100 }).p).toBe(1);
});

test('sampled randomisation agrees with the exact one', () => {
  const a = plainSample(normals(12, seeded(3)).map((value) => value + 0.5));
  const b = plainSample(new Array(12).fill(0));
  const exact = randomisationTest(a, b, { resamples: 4096 });
  expect(exact.method).toBe('exact randomisation');
  const sampled = randomisationTest(a, b, { resamples: 4000, seed: 5 });
  expect(sampled.method).toBe('randomisation');
  // Standard error of a share of 4000 draws is below 0.008.
  expect(Math.abs(sampled.p - exact.p)).toBeLessThan(0.03);
});

test('an interval has the width that the normal distribution gives it, and is the same each time', () => {
  const values = normals(400, seeded(1));
  const sample = plainSample(values);
  const interval = bootstrapInterval(sample, { resamples: 4000, seed: 7 });
  expect(interval).toEqual(bootstrapInterval(sample, { resamples: 4000, seed: 7 }));
  expect(interval).not.toEqual(bootstrapInterval(sample, { resamples: 4000, seed: 8 }));
  const mean = macroMean(sample);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const half = (1.96 * deviation) / Math.sqrt(values.length);
  expect(interval.low / (mean - half)).toBeCloseTo(1, 1);
  expect(interval.high / (mean + half)).toBeCloseTo(1, 1);
});

test('intervals cover, and tests reject, as often as they say', () => {
  const random = seeded(2);
  const rounds = 300;
  let covered = 0;
  let bootstrapRejections = 0;
  let randomisationRejections = 0;
  for (let round = 0; round < rounds; round++) {
    const sample = plainSample(normals(40, random));
    const { low, high } = bootstrapInterval(sample, { resamples: 300, seed: round });
    if (low <= 0 && high >= 0) covered++;
    const none = plainSample(new Array(40).fill(0));
    if (pairedBootstrap(sample, none, { resamples: 300, seed: round }).p <= 0.05) bootstrapRejections++;
    if (randomisationTest(sample, none, { resamples: 300, seed: round }).p <= 0.05) randomisationRejections++;
  }
  // Of 300, 285 and 15 are expected; the bounds are four standard deviations of these counts away or more.
  expect(covered).toBeGreaterThan(262);
  expect(bootstrapRejections).toBeLessThan(38);
  expect(randomisationRejections).toBeLessThan(32);
  expect(randomisationRejections).toBeGreaterThan(2);
});

test('a clear difference is found, and none is not', () => {
  const random = seeded(9);
  const base = normals(60, random);
  const a = plainSample(base.map((value) => value + 0.3 + 0.1 * random()));
  const b = plainSample(base);
  const bootstrap = pairedBootstrap(a, b, { resamples: 1000 });
  expect(bootstrap.p).toBe(1 / 1001);
  expect(bootstrap.low).toBeGreaterThan(0.3);
  expect(bootstrap.high).toBeLessThan(0.4);
  expect(randomisationTest(a, b, { resamples: 1000 }).p).toBe(1 / 1001);
  expect(pairedBootstrap(b, b).p).toBe(1);
});

test('a macro mean weighs cells, not queries; translations move together', () => {
  const observations = (shift: number) =>
    ['en', 'de'].flatMap((lang, l) =>
      Array.from({ length: lang === 'en' ? 4 : 2 }, (_, q) => ({
        value: q + 10 * l + shift,
        cell: lang,
        unit: `q${q}`,
      })),
    );
  const sample = sampleOf(observations(0));
  expect(sample.units).toBe(4);
  expect(macroMean(sample)).toBe((1.5 + 10.5) / 2);
  // Drawing q0 three times and q3 once: en (0 * 3 + 3) / 4, de 10.
  expect(macroMean(sample, [3, 0, 0, 1])).toBe((0.75 + 10) / 2);
  // Without q0 and q1 there is no German value.
  expect(macroMean(sample, [0, 0, 4, 0])).toBe(2);
  const result = randomisationTest(sampleOf(observations(1)), sample);
  // Four units of 1/8 + 1/4 twice and 1/8 twice: only all one way sums to 1.
  expect(result).toEqual({ difference: 1, p: 2 / 16, method: 'exact randomisation' });
});

test('clusters widen an interval that copies would narrow', () => {
  const values = normals(50, seeded(4));
  const copies = ['en', 'de', 'fr', 'ar'];
  const clustered = sampleOf(
    copies.flatMap((cell) => values.map((value, q) => ({ value, cell, unit: `q${q}` }))),
  );
  const stratified = sampleOf(
    copies.flatMap((cell) => values.map((value, q) => ({ value, cell, unit: `q${q}`, stratum: cell }))),
  );
  expect(stratified.units).toBe(200);
  const width = (sample: typeof clustered) => {
    const { low, high } = bootstrapInterval(sample, { resamples: 2000 });
    return high - low;
  };
  // Four independent copies halve the deviation; four copies of one question add nothing.
  expect(width(clustered) / width(stratified)).toBeCloseTo(2, 0);
  expect(width(clustered) / width(plainSample(values))).toBeCloseTo(1, 1);
});

test('intervals of means by query, drawn within languages', () => {
  const values = normals(60, seeded(6));
  const perQuery = Object.fromEntries(values.map((value, i) => [`q${i}`, { AP: value, constant: 0.5 }]));
  const plain = meanIntervals(perQuery, { resamples: 500 });
  const { low, high } = bootstrapInterval(plainSample(values), { resamples: 500 });
  expect(plain).toEqual({ AP: [low, high], constant: [0.5, 0.5] });
  const langOf = (query: string) => (Number(query.slice(1)) < 6 ? 'sw' : 'en');
  const [from, to] = meanIntervals(perQuery, { resamples: 500 }, langOf).AP!;
  // Six queries carry half of the macro mean, so it is less certain.
  expect(to - from).toBeGreaterThan(1.2 * (high - low));
});

test('corrections, worked out by hand', () => {
  const p = [0.01, 0.04, 0.03, 0.005];
  const close = (values: number[]) => values.map((value) => Number(value.toFixed(12)));
  expect(close(adjusted(p, 'holm'))).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(close(adjusted(p, 'benjamini-hochberg'))).toEqual([0.02, 0.04, 0.04, 0.02]);
  expect(adjusted(p, 'none')).toEqual(p);
  expect(adjusted([0.6, 0.7], 'holm')).toEqual([1, 1]);
  expect(adjusted([], 'holm')).toEqual([]);
});

test('what cannot be tested is said', () => {
  const mistake = expect.objectContaining({ code: 'INPUT_SIGNIFICANCE' });
  expect(() => plainSample([])).toThrow(mistake);
  expect(() => plainSample([Number.NaN])).toThrow(mistake);
  expect(() => randomisationTest(plainSample([1, 2]), plainSample([1]))).toThrow(/same queries/);
  expect(() => bootstrapInterval(plainSample([1]), { confidence: 1 })).toThrow(mistake);
  expect(() => bootstrapInterval(plainSample([1]), { resamples: 0 })).toThrow(mistake);
  const one = plainSample([1]);
  expect(() => pairedBootstrap(one, one, { confidence: 95 })).toThrow(mistake);
  expect(() => randomisationTest(one, one, { resamples: 0 })).toThrow(mistake);
  expect(() => adjusted([1.1], 'holm')).toThrow(mistake);
});

test('as many values of other questions, or in other cells, are no pair', () => {
  const of = (unit: string, cell: string) => sampleOf([{ value: 1, cell, unit }]);
  expect(randomisationTest(of('q', 'en'), of('q', 'en')).p).toBe(1);
  for (const other of [of('r', 'en'), of('q', 'de')]) {
    const refused = expect.objectContaining({ code: 'INPUT_SIGNIFICANCE' });
    expect(() => randomisationTest(of('q', 'en'), other)).toThrow(refused);
    expect(() => pairedBootstrap(of('q', 'en'), other)).toThrow(refused);
  }
});
