/**
 * What `synglot train` saves loads in Python's sentence-transformers and gives the same embeddings.
 *
 * Needs a Python with sentence-transformers in SYNGLOT_PYTHON; skipped with a line that says so without.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readNpy } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniLm, root, runCliWell } from '../support/cli.js';
import { cosine, labsePooling, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

const python = process.env.SYNGLOT_PYTHON;
if (!python) {
  console.warn(
    'sentence-transformers: skipped, set SYNGLOT_PYTHON to a Python that has sentence-transformers 6',
  );
}

interface Loaded {
  readonly embeddings: number[][];
  readonly modules: string[];
  readonly max_seq_length: number;
}

let folder: Awaited<ReturnType<typeof testFolder>>;
let data: string;
beforeAll(async () => {
  folder = await testFolder('sentence-transformers');
  data = join(folder.path, 'pairs.jsonl');
  await writeJsonl(data, tinyPairs(20));
});
afterAll(() => folder.remove());

const texts = [
  'red apple 3',
  'der alte Baum',
  'vanha talo, uusi joki',
  'A bird on a stone by the river.',
  'neu',
];

/** Trains two steps from `model` and returns the folder of the trained one. */
async function train(name: string, model: string): Promise<string> {
  const config = join(folder.path, `${name}.yaml`);
  const output = join(folder.path, name);
  await writeFile(
    config,
    `model: ${model}
data: [{ format: pairs-jsonl, path: ${data} }]
sampling: { batch_size: 4 }
text: { query_max_length: 12, passage_max_length: 16 }
training: { steps: 2, warmup: 0 }
optimizer: { learning_rate: 1.0e-3 }
`,
  );
  await runCliWell(['train', config, '--output', output]);
  return join(output, 'model');
}

async function encode(model: string): Promise<number[][]> {
  const [input, output] = [join(folder.path, 'texts.txt'), join(folder.path, 'texts.npy')];
  await writeFile(input, `${texts.join('\n')}\n`);
  await runCliWell(['encode', '--model', model, '--input', input, '--output', output]);
  const { rows, columns, data } = await readNpy(output);
  return Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * columns, (row + 1) * columns)),
  );
}

async function loadInPython(model: string): Promise<Loaded> {
  const script = join(root, 'test/parity/check_sentence_transformers.py');
  const { stdout } = await promisify(execFile)(python as string, [script, model, ...texts], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Loaded;
}

function worstCosine(a: readonly number[][], b: readonly number[][]): number {
  expect(a).toHaveLength(b.length);
  return Math.min(...a.map((row, index) => cosine(row, b[index] as number[])));
}

describe.skipIf(!python)('a model trained by synglot, in sentence-transformers', () => {
  it.each([
    { name: 'LaBSE-shaped', modules: ['Transformer', 'Pooling', 'Dense', 'Normalize'] },
    { name: 'MiniLM', modules: ['Transformer', 'Pooling', 'Normalize'] },
  ])('$name: the same embeddings', async ({ name, modules }) => {
    const start = name === 'MiniLM' ? miniLm : join(folder.path, 'labse');
    if (name !== 'MiniLM') await saveTinyModel(start, labsePooling);
    const trained = await train(name.toLowerCase(), start);
    const embeddings = await encode(trained);
    const loaded = await loadInPython(trained);
    expect(loaded.modules).toEqual(modules);
    const worst = worstCosine(embeddings, loaded.embeddings);
    const moved = worstCosine(embeddings, await encode(start));
    console.log(
      `${name}: cosine with Python ≥ ${worst.toFixed(8)}, with the untrained model ${moved.toFixed(4)}`,
    );
    expect(worst).toBeGreaterThanOrEqual(0.99999);
    expect(moved, 'training changed the model').toBeLessThan(0.9999);
  });
});
