/**
 * Frozen parameters: the trained ones' gradients keep their bits, and what only frozen ones needed is
 * neither computed nor allocated. Dropout is on.
 */
import type { CompiledPlan, Executor, Plan } from '@synglot/gpu';
import {
  buildTrainPlan,
  buildUpdatePlan,
  contrastive,
  defaultAdamW,
  type EncoderConfig,
  encoderParameters,
  ParameterStore,
  packBatch,
  packStep,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { bitsOf } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';
import { denseHead, smallEncoder } from '../support/small-encoder.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const config: EncoderConfig = { ...smallEncoder, layers: 3 };
const pooling = denseHead(config.hiddenSize, 'mean');
const capacity = { tokens: 48, queries: 4, candidates: 8 };
const lengths = [3, 1, 5, 9, 2, 4, 6, 1];
const optimizer = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;

async function openStore(trains: (name: string) => boolean): Promise<ParameterStore> {
  const specs = encoderParameters(config, pooling).map((spec) => ({ ...spec, trainable: trains(spec.name) }));
  const store = new ParameterStore(executor, specs);
  const seeds = new Map(specs.map(({ name }, index) => [name, 500 + index]));
  await store.load('parameter', async (name, begin, end) => {
    const [, columns = 1] = store.layout.shape(name);
    const random = randomFloats((end - begin) * columns, seeds.get(name) as number, 0.4);
    return name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random;
  });
  store.allocate('gradient');
  return store;
}

function trainPlan({ layout }: ParameterStore): Plan {
  const { device } = executor;
  const objectives = [contrastive({ temperature: 0.3, direction: 'both' })];
  return buildTrainPlan({ config, pooling, layout, device, capacity, objectives, mode: 'accumulate' });
}

/** Gradients of all that is trained after one batch, by name, as bits; and the plan that made them. */
async function gradientBits(trains: (name: string) => boolean) {
  const store = await openStore(trains);
  const plan = trainPlan(store);
  const compiled: CompiledPlan = await executor.compile(plan, store.externals);
  const cuSeqlens = Uint32Array.of(0, ...lengths);
  for (let i = 1; i < cuSeqlens.length; i++) cuSeqlens[i]! += cuSeqlens[i - 1] as number;
  const tokens = cuSeqlens.at(-1) as number;
  const ids = Uint32Array.from({ length: tokens }, (_, index) => (index * 7) % 23);
  const types = ids.map((id) => id % 2);
  const { feeds, counts } = packBatch(config, capacity, { ids, cuSeqlens, types, queries: 3, candidates: 5 });
  const groups = Uint32Array.of(0, 1, 2, 0, 4);
  await compiled.run({ feeds: { ...feeds, groups, step: packStep({ counts, seed: 99 }) } });
  const bits = new Map<string, Uint32Array>();
  for (const { name } of store.layout.specsOf('gradient')) {
    bits.set(name, bitsOf(await store.read('gradient', name)));
  }
  compiled.destroy();
  store.destroy();
  return { bits, plan };
}

const dispatches = ({ commands }: Plan) =>
  commands.flatMap((command) => (command.kind === 'dispatch' ? [command.label] : []));

const choices: Readonly<Record<string, (name: string) => boolean>> = {
  'the middle layer': (name) => name.startsWith('encoder.layer.1.'),
  'one key weight': (name) => name === 'encoder.layer.1.attention.self.key.weight',
  'biases alone': (name) => name.endsWith('.bias') && !name.includes('LayerNorm'),
  'layer norm weights': (name) => name.endsWith('LayerNorm.weight'),
  'all but the embeddings': (name) => !name.startsWith('embeddings.'),
  'the position table': (name) => name.includes('position_embeddings'),
  'the head': (name) => name.startsWith('dense.'),
};

describe.each(Object.entries(choices))('%s trained', (_, trains) => {
  test('gradients keep their bits and nothing else has any', async () => {
    const whole = await gradientBits(() => true);
    const part = await gradientBits(trains);
    const names = [...whole.bits.keys()].filter(trains);
    expect([...part.bits.keys()]).toEqual(names);
    for (const name of names) {
      expect(part.bits.get(name), name).toEqual(whole.bits.get(name));
      expect(
        part.bits.get(name)?.some((bits) => bits !== 0),
        name,
      ).toBe(true);
    }
    const gradients = part.plan.buffers.filter(({ name }) => name.startsWith('gradient '));
    expect(gradients.map(({ name }) => name.slice('gradient '.length)).sort()).toEqual(names.sort());
    expect(dispatches(part.plan).length).toBeLessThan(dispatches(whole.plan).length);
  });
});

test('backward stops below the lowest trained layer', async () => {
  const store = await openStore((name) => name.startsWith('encoder.layer.2.output.dense'));
  const backward = dispatches(trainPlan(store)).filter((label) => label.startsWith('d '));
  expect(
    backward.filter((label) => /layer [01]\b|layer\.[01]\b|attention|embeddings\.|intermediate/.test(label)),
  ).toEqual([]);
  expect(backward).toContain('d encoder.layer.2.output.dense.weight');
  store.destroy();
});

test('the update touches what is trained, and refuses to have nothing to do', async () => {
  const store = await openStore((name) => name.endsWith('key.weight'));
  const updated = dispatches(buildUpdatePlan(store.layout, optimizer)).filter((label) =>
    label.startsWith('update'),
  );
  expect(updated).toEqual(['update encoder.layer.0.attention.self.key.weight and 2 more']);
  const nothing = await openStore(() => false);
  expect(() => buildUpdatePlan(nothing.layout, optimizer)).toThrow(/nothing to train/);
  store.destroy();
  nothing.destroy();
});
