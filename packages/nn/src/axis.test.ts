import { stepFeedSizeBytes } from '@synglot/gpu';
import { catalogue } from '@synglot/kernels';
import { expect, test } from 'vitest';
import { countSlots, stepOffsets as offsets, packStep } from './axis.js';

/** Size and alignment of the types that `Step` has, in bytes (WGSL, section 14.4.1). */
const layouts: Readonly<Record<string, readonly [size: number, alignment: number]>> = {
  u32: [4, 4],
  f32: [4, 4],
  'vec2<u32>': [8, 8],
  'array<vec4<u32>, 2>': [32, 16],
};

test('the fields lie where the kernels read them', () => {
  const [, struct = ''] = /struct Step \{([^}]*)\}/.exec(catalogue.add.includes.join('\n')) ?? [];
  const found: Record<string, number> = {};
  let end = 0;
  for (const [, name = '', type = ''] of struct.replace(/\/\/.*/g, '').matchAll(/(\w+): (.+),\n/g)) {
    const [size, alignment] = layouts[type]!;
    found[name] = Math.ceil(end / alignment) * alignment;
    end = found[name] + size;
  }
  expect(offsets).toEqual(found);
  expect(stepFeedSizeBytes).toBe(Math.ceil(end / 16) * 16);
});

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
  expect(view.getUint32(offsets.optimizer_step, true)).toBe(3);
  expect(view.getFloat32(offsets.learning_rate, true)).toBe(0.5);
  expect(view.getFloat32(offsets.bias_correction_1, true)).toBe(Math.fround(1 - 0.9 ** 3));
  expect(view.getFloat32(offsets.bias_correction_2_sqrt, true)).toBe(Math.fround(Math.sqrt(1 - 0.999 ** 3)));
  expect(view.getFloat32(offsets.gradient_scale, true)).toBe(0.25);
  expect(view.getFloat32(offsets.loss_scale, true)).toBe(1024);
});

test('by default nothing is live, nothing is learned and no division is by zero', () => {
  const view = new DataView(packStep({ counts: {} }).buffer);
  for (const slot of Object.values(countSlots)) expect(view.getUint32(slot * 4, true)).toBe(0);
  expect(view.getFloat32(offsets.learning_rate, true)).toBe(0);
  expect(view.getFloat32(offsets.bias_correction_1, true)).toBe(1);
  expect(view.getFloat32(offsets.bias_correction_2_sqrt, true)).toBe(1);
  expect(view.getFloat32(offsets.gradient_scale, true)).toBe(1);
  expect(view.getFloat32(offsets.loss_scale, true)).toBe(1);
});

test.each([
  [{ counts: { rows: 3 } as object }, /tileCandidates but received 3 of rows$/],
  [{ counts: { tokens: Number.NaN } }, /whole numbers of tokens, queries, .* but received NaN of tokens$/],
  [{ counts: { tokens: -1 } }, /received -1 of tokens$/],
  [
    { counts: {}, update: { step: 1, learningRate: Number.NaN, beta1: 0, beta2: 0 } },
    /expected a finite learning rate but received NaN$/,
  ],
])('a step of %j is refused', (values, message) => {
  expect(() => packStep(values)).toThrow(message);
});

test('bias corrections of the first update keep their digits', () => {
  const update = { step: 1, learningRate: 1, beta1: 0.9, beta2: 0.9999999 };
  const view = new DataView(packStep({ counts: {}, update }).buffer);
  expect(view.getFloat32(offsets.bias_correction_2_sqrt, true)).toBeCloseTo(Math.sqrt(1e-7), 9);
});
