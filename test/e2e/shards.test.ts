/**
 * `synglot train` on a data set in shards: the bits of a run on one file with the same rows, and no resumption
 * once there is a shard more.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, runCliWell } from '../support/cli.js';
import { saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  folder = await testFolder('shards');
});
afterAll(() => folder.remove());

it('trains on a glob as on one file, and resumes on the same shards alone', async () => {
  const inFolder = (...names: string[]) => join(folder.path, ...names);
  await saveTinyModel(inFolder('model'));
  const pairs = tinyPairs(24);
  const third = pairs.length / 3;
  await writeJsonl(inFolder('all.jsonl'), pairs);
  for (const i of [0, 1, 2]) {
    await writeJsonl(inFolder(`train-0000${i}-of-00003.jsonl`), pairs.slice(i * third, (i + 1) * third));
  }
  const configFor = async (name: string, path: string) => {
    const text = `model: ${inFolder('model')}
data: [{ format: pairs-jsonl, path: ${path}, dataset: d }]
sampling: { batch_size: 4 }
training: { steps: 4 }
optimizer: { learning_rate: 0.01 }
checkpoint: { every: 2 }
`;
    await writeFile(inFolder(`${name}.yaml`), text);
    return ['train', inFolder(`${name}.yaml`), '--output', inFolder(name)];
  };
  const one = await configFor('one', inFolder('all.jsonl'));
  const glob = await configFor('glob', inFolder('train-*.jsonl'));
  await runCliWell(one);
  await runCliWell(glob);
  const weights = (name: string) => readFile(inFolder(name, 'model', 'model.safetensors'));
  const expected = await weights('one');
  expect((await weights('glob')).equals(expected)).toBe(true);

  const interrupt = async () => {
    await rm(inFolder('glob', 'model'), { recursive: true, force: true });
    await rm(inFolder('glob', 'checkpoints', 'step-000004'), { recursive: true, force: true });
  };
  await interrupt();
  await runCliWell([...glob, '--resume']);
  expect((await weights('glob')).equals(expected)).toBe(true);

  await interrupt();
  await writeJsonl(inFolder('train-more.jsonl'), [
    { query: 'new?', passage: 'new.', lang: 'en', parallel_id: 'n' },
  ]);
  const { code, stderr } = await runCli([...glob, '--resume']);
  expect(code, stderr).toBe(2);
  expect(stderr).toContain('the sampler state belongs to other training data');
}, 120_000);
