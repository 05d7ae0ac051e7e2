/** Commands of teachers, probes and cut embeddings, from data to files; columns of metrics. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddingModel, openCheckpoint, readNpy, SafetensorsFile } from '@synglot/models';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCliWell } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { cosine, readMetrics, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
const inFolder = (...parts: string[]) => join(folder.path, ...parts);
beforeAll(async () => {
  folder = await testFolder('objectives');
  await saveTinyModel(inFolder('model'));
  await writeJsonl(inFolder('pairs.jsonl'), tinyPairs(40));
});
afterAll(() => folder.remove());

/** A configuration; `lines` take the place of the common ones of the same key. */
async function writeConfig(name: string, lines: string): Promise<string> {
  const path = inFolder(`${name}.yaml`);
  const common = [
    `model: ${inFolder('model')}`,
    `data: [{ format: pairs-jsonl, path: ${inFolder('pairs.jsonl')} }]`,
    'sampling: { batch_size: 8 }',
    'training: { steps: 6, dropout: 0 }',
    'optimizer: { learning_rate: 0.003 }',
    `output: ${inFolder(name)}`,
  ].filter((line) => !new RegExp(`^${line.split(':')[0]}:`, 'm').test(lines));
  await writeFile(path, `${common.join('\n')}\n${lines}`);
  return path;
}

it("margins are trained towards a cross-encoder's scores", async () => {
  const config = await writeConfig(
    'scored',
    `data:
  - { format: pairs-jsonl, path: ${inFolder('scored.jsonl')}, columns: { passage: positive } }
sampling: { batch_size: 8, mode: monolingual }
loss: { weight: 1.0e-6 }
margin_mse: { margins: scores, scale: 0.1 }
training: { steps: 30, dropout: 0, warmup: 0, schedule: constant }
`,
  );
  // All rows are in every batch, so that the first value is known.
  const rows = tinyPairs(24, ['en']);
  const triplets = rows.slice(0, 8).map(({ query, passage: positive, lang }, index) => ({
    query,
    positive,
    lang,
    negatives: [rows[index + 8]!.passage, rows[index + 16]!.passage],
    scores: [2 + index, 1.5 - index, -4],
  }));
  await writeJsonl(inFolder('scored.jsonl'), triplets);
  await runCliWell(['train', config]);

  const executor = await openTestExecutor();
  const model = await EmbeddingModel.load(executor, await openCheckpoint(inFolder('model')));
  let expected = 0;
  for (const { query, positive, negatives, scores } of triplets) {
    const vectors = await model.embed([query, positive, ...negatives]);
    const [q, p, ...others] = [0, 1, 2, 3].map((row) => vectors.subarray(row * 16, (row + 1) * 16));
    others.forEach((n, i) => {
      const margin = 0.1 * (scores[0]! - scores[i + 1]!);
      expected += (cosine(q!, p!) - cosine(q!, n) - margin) ** 2 / 16;
    });
  }
  await model.destroy();
  executor.destroy();
  const values = (await readMetrics(inFolder('scored'))).map((entry) => entry.margin_mse as number);
  expect(values[0]).toBeCloseTo(expected, 5);
  expect(values.at(-1)).toBeLessThan(0.5 * expected);
});

it("another model's margins are trained towards the scores with which a teacher has mined", async () => {
  await saveTinyModel(inFolder('miner'), undefined, { initializerRange: 0.5 });
  const [first, ...others] = tinyPairs(24, ['en']);
  // A question with two answers: each has a score of its own.
  const rows = [first!, { ...first!, passage: 'another answer', passage_parallel_id: 'x' }, ...others];
  // Negatives without scores are no reason for `mine` to refuse the configuration that it mines for.
  const data = rows.map((row) => ({ ...row, negatives: ['of no question'] }));
  await writeJsonl(inFolder('unscored.jsonl'), data);
  const lines = (model: string, file: string) => `model: ${inFolder(model)}
data: [{ format: pairs-jsonl, path: ${inFolder(file)} }]
sampling: { batch_size: 8, mode: monolingual, negatives: 2 }
loss: { weight: 1.0e-6 }
margin_mse: { margins: scores }
training: { steps: 30, dropout: 0, warmup: 0, schedule: constant }
`;
  const unmined = await writeConfig('unmined', lines('model', 'unscored.jsonl'));
  const output = ['--output', inFolder('mined.jsonl')];
  await runCliWell(['mine', unmined, '--model', inFolder('miner'), ...output]);
  const mined = (await readFile(inFolder('mined.jsonl'), 'utf8')).trim().split('\n');
  const entries = mined.map((line) => JSON.parse(line));
  expect(entries.map(({ negatives }) => negatives.length)).toEqual(rows.map(() => 4));
  const answers = entries.filter(({ query }) => query === first!.query);
  expect(new Set(answers.map(({ positive_score: score }) => score)).size).toBe(2);

  const fewer = ['--output', inFolder('fewer.jsonl'), '--set', 'mining={ negatives: 2 }'];
  await runCliWell(['mine', unmined, '--model', inFolder('miner'), ...fewer]);
  const [line] = (await readFile(inFolder('fewer.jsonl'), 'utf8')).split('\n');
  expect(JSON.parse(line!).negatives).toHaveLength(2);

  const marginsOf = async (model: string) => {
    const name = `mined-${model}`;
    await runCliWell(['train', await writeConfig(name, lines(model, 'mined.jsonl'))]);
    return (await readMetrics(inFolder(name))).map((entry) => entry.margin_mse as number);
  };
  // The teacher itself has those margins; another model comes to have them.
  const [same, learned] = [await marginsOf('miner'), await marginsOf('model')];
  expect(same[0]).toBeLessThan(1e-10);
  expect(learned[0]).toBeGreaterThan(1e-3);
  expect(learned.at(-1)).toBeLessThan(0.5 * learned[0]!);
});

it("a teacher's embeddings are stored once, and a run is trained towards them", async () => {
  const config = await writeConfig(
    'distilled',
    `loss: { weight: 0.2 }\ndistillation: { teacher: ${inFolder('teacher')}, measure: cosine, weight: 0.8 }\n`,
  );
  await saveTinyModel(inFolder('other'), undefined, { initializerRange: 0.5 });
  const args = ['distill-teacher', config, '--teacher', inFolder('other'), '--output', inFolder('teacher')];
  const { stdout } = await runCliWell(args);
  expect(stdout).toContain(': 80 × 16');
  const some = [...args.slice(0, -1), inFolder('some'), '--set', 'data.0.limit=7'];
  expect((await runCliWell(some)).stdout).toContain(': 14 × 16');

  // The stored embedding is that of the English text.
  const keys = (await readFile(inFolder('teacher/keys.txt'), 'utf8')).split('\n');
  const { data } = await readNpy(inFolder('teacher/embeddings.npy'));
  const row = keys.indexOf(JSON.stringify(['passage', 'pairs', '7']));
  const text = tinyPairs(40).find(({ lang, parallel_id: id }) => lang === 'en' && id === '7')?.passage;
  const executor = await openTestExecutor();
  const model = await EmbeddingModel.load(executor, await openCheckpoint(inFolder('other')));
  const expected = await model.embed([text as string]);
  expect(cosine(data.subarray(row * 16, (row + 1) * 16), expected)).toBeGreaterThan(0.999999);
  await model.destroy();
  executor.destroy();

  await runCliWell(['train', config]);
  const metrics = await readMetrics(inFolder('distilled'));
  for (const entry of metrics) {
    const { loss, contrastive, distillation } = entry as Record<string, number>;
    expect(loss).toBeCloseTo(0.2 * contrastive! + 0.8 * distillation!, 6);
  }
  const [first, last] = [metrics[0], metrics.at(-1)];
  expect(last?.distillation as number).toBeLessThan(first?.distillation as number);

  // Its margins over negatives that the run itself mines: the data have none.
  const sections = `margin_mse: { teacher: ${inFolder('teacher')} }\nmining: { start: 2 }\n`;
  await runCliWell(['train', await writeConfig('mining', sections)]);
  const margins = (await readMetrics(inFolder('mining'))).map(({ margin_mse: value }) => value as number);
  expect(margins.slice(0, 2)).toEqual([0, 0]);
  expect(Math.min(...margins.slice(2))).toBeGreaterThan(0);
});

it("a discriminator's parameters are saved with the run, not with the model", async () => {
  const config = await writeConfig('adversarial', 'adversarial: { hidden: 8, schedule: linear }\n');
  await runCliWell(['train', config]);
  const tensors = async (path: string) => {
    const bytes = await readFile(path);
    const header = bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0)));
    return Object.keys(JSON.parse(header)).filter((name) => name.includes('language_discriminator'));
  };
  const checkpoint = inFolder('adversarial/checkpoints/step-000006');
  expect(await tensors(join(checkpoint, 'optimizer.safetensors'))).toContain(
    'parameter language_discriminator.0.weight',
  );
  expect(await tensors(join(checkpoint, 'model/model.safetensors'))).toEqual([]);
  expect(await tensors(inFolder('adversarial/model/model.safetensors'))).toEqual([]);
  const file = await SafetensorsFile.open(join(checkpoint, 'optimizer.safetensors'));
  const weights = await file.readRows('parameter language_discriminator.1.weight', 0, 4);
  // Three languages, four columns: the fourth is no language, gets no gradient, and decays alone.
  expect(weights.length).toBe(4 * 8);
  for (const entry of await readMetrics(inFolder('adversarial'))) {
    const { loss, contrastive } = entry as Record<string, number>;
    expect(loss).toBe(contrastive);
    expect(entry.language_discriminator_accuracy).toBeGreaterThanOrEqual(0);
  }
});

it('a learned temperature moves, and FGM reports the perturbed loss', async () => {
  const config = await writeConfig(
    'temperature',
    'loss: { temperature: 0.1, learnable_temperature: { learning_rate_scale: 10 } }\nfgm: { epsilon: 0.5 }\n',
  );
  await runCliWell(['train', config]);
  const metrics = await readMetrics(inFolder('temperature'));
  expect(metrics[0]?.temperature).toBeCloseTo(0.1, 6);
  expect(Math.abs((metrics.at(-1)?.temperature as number) - 0.1)).toBeGreaterThan(1e-4);
  for (const entry of metrics) {
    expect(entry.perturbed_loss as number).toBeGreaterThan(entry.loss as number);
  }
});

it('a probe reports its accuracy beside the majority, and cut embeddings are those of the first numbers', async () => {
  const report = inFolder('probe.json');
  const probe = ['probe', '--model', inFolder('model'), '--data', inFolder('pairs.jsonl'), '--json', report];
  const { stdout } = await runCliWell(probe);
  expect(stdout).toMatch(/language probe: .* of \d+ texts; always the most frequent language: 33\.3%/);
  const { accuracy, majority, languages } = JSON.parse(await readFile(report, 'utf8'));
  expect(languages).toEqual(['de', 'en', 'fi']);
  expect(majority).toBeCloseTo(1 / 3, 6);
  // Random weights still tell languages apart: their words are different.
  expect(accuracy).toBeGreaterThan(0.6);
  await runCliWell([...probe, '--set', 'data.0.langs=[en, de]']);
  expect(JSON.parse(await readFile(report, 'utf8')).languages).toEqual(['de', 'en']);
  // The same pairs in place of a configuration's, of which it holds some out: read as a whole, on its device.
  const config = await writeConfig(
    'probed',
    `data: [{ format: pairs-jsonl, path: ${inFolder('none.jsonl')} }]
hold_out: { fraction: 0.5 }
device: swiftshader
`,
  );
  await runCliWell(probe);
  const alone = await readFile(report, 'utf8');
  const { stderr } = await runCliWell(['probe', config, ...probe.slice(1)], {
    env: { SYNGLOT_DEVICE: undefined },
  });
  expect(stderr).toContain('(swiftshader, ');
  expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
    languages: ['de', 'en', 'fi'],
    train: JSON.parse(alone).train,
    test: JSON.parse(alone).test,
  });

  await writeFile(inFolder('lines.txt'), 'red apple\nalter Baum\n');
  const encode = ['encode', '--model', inFolder('model'), '--input', inFolder('lines.txt'), '--output'];
  await runCliWell([...encode, inFolder('whole.npy')]);
  await runCliWell([...encode, inFolder('cut.npy'), '--dimension', '8']);
  const [whole, cut] = [await readNpy(inFolder('whole.npy')), await readNpy(inFolder('cut.npy'))];
  expect([cut.rows, cut.columns]).toEqual([2, 8]);
  for (const row of [0, 1]) {
    const vector = cut.data.subarray(row * 8, row * 8 + 8);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
    expect(cosine(vector, whole.data.subarray(row * 16, row * 16 + 8))).toBeGreaterThan(0.9999999);
  }
});
