import { expect, test } from 'vitest';
import { countSlots, packStep } from './axis.js';

/** Byte offsets of kernels/wgsl/include_step.wgsl. */
const offsets = {
  counts: 0,
  seed: 32,
  optimizerStep: 36,
  learningRate: 40,
  biasCorrection1: 44,
  biasCorrection2Sqrt: 48,
  gradientScale: 52,
  begins: 56,
  lossScale: 64,
};

test('every count has its slot; the seed and the update follow', () => {
  const bytes = packStep({
    counts: {
      tokens: 11,
      queries: 12,
      candidates: 13,
      distinctWords: 14,
      distinctPositions: 15,
      tileQueries: 16,
      tileCandidates: 17,
    },
    seed: 0xffff_fffe,
    update: { step: 3, learningRate: 0.5, beta1: 0.9, beta2: 0.999 },
    gradientScale: 0.25,
    lossScale: 1024,
    begins: [21, 22],
  });
  expect(bytes.length).toBe(80);
  const view = new DataView(bytes.buffer);
  expect(Array.from({ length: 8 }, (_, slot) => view.getUint32(slot * 4, true))).toEqual([
    0, 11, 12, 13, 14, 15, 16, 17,
  ]);
  expect([view.getUint32(offsets.begins, true), view.getUint32(offsets.begins + 4, true)]).toEqual([21, 22]);
  expect(view.getUint32(offsets.seed, true)).toBe(0xffff_fffe);
  expect(view.getUint32(offsets.optimizerStep, true)).toBe(3);
  expect(view.getFloat32(offsets.learningRate, true)).toBe(0.5);
  expect(view.getFloat32(offsets.biasCorrection1, true)).toBe(Math.fround(1 - 0.9 ** 3));
  expect(view.getFloat32(offsets.biasCorrection2Sqrt, true)).toBe(Math.fround(Math.sqrt(1 - 0.999 ** 3)));
  expect(view.getFloat32(offsets.gradientScale, true)).toBe(0.25);
  expect(view.getFloat32(offsets.lossScale, true)).toBe(1024);
});

test('by default nothing is live, nothing is learned and no division is by zero', () => {
  const view = new DataView(packStep({ counts: {} }).buffer);
  for (const slot of Object.values(countSlots)) expect(view.getUint32(slot * 4, true)).toBe(0);
  expect(view.getFloat32(offsets.learningRate, true)).toBe(0);
  expect(view.getFloat32(offsets.biasCorrection1, true)).toBe(1);
  expect(view.getFloat32(offsets.biasCorrection2Sqrt, true)).toBe(1);
  expect(view.getFloat32(offsets.gradientScale, true)).toBe(1);
  expect(view.getFloat32(offsets.lossScale, true)).toBe(1);
});

test('bias corrections of the first update keep their digits', () => {
  const update = { step: 1, learningRate: 1, beta1: 0.9, beta2: 0.9999999 };
  const view = new DataView(packStep({ counts: {}, update }).buffer);
  expect(view.getFloat32(offsets.biasCorrection2Sqrt, true)).toBeCloseTo(Math.sqrt(1e-7), 9);
});
