/** The tuner: every candidate is tried and agrees, and what it chose is what plans then use. */

import type { Executor } from '@synglot/gpu';
import {
  buildEncodePlan,
  collectMatmuls,
  type DeviceTraits,
  type EncoderConfig,
  encoderParameters,
  matmulCandidates,
  matmulShapeClass,
  ParameterLayout,
  type TunedClass,
  tuneMatmuls,
} from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { overExecutor } from '../support/over-executor.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 64,
  hiddenSize: 32,
  layers: 2,
  heads: 2,
  intermediateSize: 64,
  maxPositions: 32,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.02,
};
const pooling = { mode: 'mean', normalize: true } as const;
const layout = new ParameterLayout(encoderParameters(config, pooling), 2 ** 27);
const encode = (device: DeviceTraits) =>
  buildEncodePlan({ config, pooling, layout, device, tokens: 64, sequences: 4 }).plan;

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

test('products of a plan are collected once each, the largest of a class', () => {
  const problems = collectMatmuls(executor.device, (device) => {
    encode(device);
    encode(device);
  });
  const classes = problems.map(matmulShapeClass);
  expect(new Set(classes).size).toBe(classes.length);
  expect(classes.some((key) => key.startsWith('matmul_nt_bias'))).toBe(true);
  expect(problems.every(({ m }) => m.slot === 'tokens')).toBe(true);
});

test('every candidate is tried, and plans use what was chosen', async () => {
  const problems = collectMatmuls(executor.device, encode).slice(0, 1);
  const tried = new Map<string, number>();
  const table = await tuneMatmuls(executor, problems, {
    runs: 1,
    onTuned: (result) => tried.set(result.shapeClass, result.tried.length),
  });
  for (const problem of problems) {
    const key = matmulShapeClass(problem);
    expect(tried.get(key)).toBe(matmulCandidates(executor.device, problem).length);
    expect(matmulCandidates(executor.device, problem)).toContainEqual(table[key]);
  }
  // Any choice is taken, not only the one that runs anyway.
  const last = Object.fromEntries(
    problems.map((problem) => [
      matmulShapeClass(problem),
      matmulCandidates(executor.device, problem).at(-1)!,
    ]),
  );
  const kernels = new Set(
    encode({ ...executor.device, kernelChoices: last }).kernels.map(({ label }) => label),
  );
  for (const { kernel } of Object.values(last)) expect(kernels).toContain(kernel);
});

test('a device on which kernels go wrong or do not compile is tuned to others', async () => {
  const [problem] = collectMatmuls(executor.device, encode);
  const { product } = problem!;
  const spoilt = overExecutor(executor, {
    compile: (plan, externals) => {
      const kernels = plan.kernels.map((kernel) => {
        if (kernel.label.endsWith('_workgroup'))
          return { ...kernel, code: kernel.code.replace('* params.scale', '* (params.scale * 1.25)') };
        if (kernel.label.endsWith('_subgroup')) return { ...kernel, code: `${kernel.code}\nno WGSL` };
        return kernel;
      });
      return executor.compile({ ...plan, kernels }, externals);
    },
  });
  const reports: TunedClass[] = [];
  const table = await tuneMatmuls(spoilt, [problem!], { runs: 1, onTuned: (result) => reports.push(result) });
  const [{ tried, leftOut }] = reports as [TunedClass];
  expect(table[matmulShapeClass(problem!)]?.kernel).toBe(product);
  expect(new Set(tried.map(({ choice }) => choice.kernel))).toEqual(new Set([product]));
  expect(tried.length + leftOut.length).toBe(matmulCandidates(executor.device, problem!).length);
  const wrong = leftOut.filter(({ choice }) => choice.kernel === `${product}_workgroup`);
  expect(wrong.length).toBeGreaterThan(0);
  for (const { why } of wrong) expect(why).toMatch(/^differs by [\d.e-]+ from the plainest kernel/);
  for (const { choice, why } of leftOut.filter((one) => !wrong.includes(one))) {
    expect(choice.kernel).toBe(`${product}_subgroup`);
    expect(why).not.toContain('differs');
  }
});

test('where the plainest kernel fails, there is nothing to hold others against', async () => {
  const broken = overExecutor(executor, {
    compile: (plan, externals) =>
      executor.compile(
        { ...plan, kernels: plan.kernels.map((kernel) => ({ ...kernel, code: 'no WGSL' })) },
        externals,
      ),
  });
  const [problem] = collectMatmuls(executor.device, encode);
  await expect(tuneMatmuls(broken, [problem!])).rejects.toThrow(problem!.product);
});

test('without timestamps, runs are told apart by less than a millisecond', async () => {
  const [problem] = collectMatmuls(executor.device, encode);
  const untimed = overExecutor(executor, {
    compile: async (plan, externals) => {
      const compiled = await executor.compile(plan, externals);
      return {
        plan,
        run: async (options) => ({ reads: (await compiled.run(options)).reads }),
        destroy: () => compiled.destroy(),
      };
    },
  });
  let seconds: number[] = [];
  await tuneMatmuls(untimed, [problem!], {
    runs: 1,
    onTuned: ({ tried }) => {
      seconds = tried.map((each) => each.seconds);
    },
  });
  expect(seconds.length).toBeGreaterThan(1);
  expect(seconds.filter((each) => Number.isInteger(each * 1000))).toEqual([]);
});
