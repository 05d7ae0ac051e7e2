import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAxis } from './grid.js';
import { planSweep } from './plan.js';

let folder: string;
let config: string;
let other: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-sweep-plan-'));
  const text = 'model: m\ndata: [{ format: pairs-jsonl, path: p }]\ntraining: { steps: 10 }\n';
  config = join(folder, 'full.yaml');
  other = join(folder, 'decay.yaml');
  await writeFile(config, text);
  await writeFile(other, `${text}validation: {}\noptimizer: { layer_decay: 0.9 }\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const mistake = (message: RegExp) =>
  expect.objectContaining({ code: 'INPUT_CONFIG', message: expect.stringMatching(message) });

test('every setting with every seed, seed by seed, in folders named by the settings', async () => {
  const { settings, runs } = await planSweep({
    configs: [config],
    axes: [parseAxis('sampling.alpha=0,1'), parseAxis('loss.direction=both')],
    seeds: [0, 7],
    set: ['training.steps=3'],
  });
  expect(settings.map(({ label }) => label)).toEqual([
    'sampling.alpha=0, loss.direction=both',
    'sampling.alpha=1, loss.direction=both',
  ]);
  expect(runs.map(({ name }) => name)).toEqual([
    'sampling.alpha=0,loss.direction=both,seed=0',
    'sampling.alpha=1,loss.direction=both,seed=0',
    'sampling.alpha=0,loss.direction=both,seed=7',
    'sampling.alpha=1,loss.direction=both,seed=7',
  ]);
  expect(runs[3]!.config).toMatchObject({ sampling: { alpha: 1 }, training: { steps: 3, seed: 7 } });
});

test('names that no file system takes are made into some, and stay apart', async () => {
  const { runs } = await planSweep({ configs: [config], axes: [parseAxis('model=a/b,a:b')], seeds: [0] });
  const names = runs.map(({ name }) => name);
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name).toMatch(/^model=a_b-[0-9a-f]{8},seed=0$/);
});

test('with learning rates, a method is all but the rate', async () => {
  const { settings } = await planSweep({
    configs: [config, other],
    axes: [],
    learningRates: ['1e-5', '3e-5'],
    seeds: [0],
    set: ['validation.fraction=0.1'],
  });
  expect(settings.map(({ label, method }) => [label, method])).toEqual([
    ['full, optimizer.learning_rate=1e-5', 'full'],
    ['full, optimizer.learning_rate=3e-5', 'full'],
    ['decay, optimizer.learning_rate=1e-5', 'decay'],
    ['decay, optimizer.learning_rate=3e-5', 'decay'],
  ]);
});

test('mistakes are found before anything runs', async () => {
  const plan = (axes: string[], more: object = {}) =>
    planSweep({ configs: [config], axes: axes.map(parseAxis), seeds: [0], ...more });
  await expect(plan(['sampling.aplha=0,1'])).rejects.toThrow(
    mistake(/^sampling\.aplha=0: unknown key 'sampling\.aplha' \(did you mean 'alpha'\?\)/),
  );
  await expect(plan(['sampling.alpha=0,2'])).rejects.toThrow(mistake(/^sampling\.alpha=2: /));
  await expect(plan(['sampling.alpha=0', 'sampling.alpha=1'])).rejects.toThrow(mistake(/swept twice/));
  await expect(plan(['training.seed=0,1'])).rejects.toThrow(mistake(/--seeds/));
  for (const [set, axes] of [
    ['training.seed=3', []],
    ['output=runs/a', []],
    ['sampling.alpha=1', ['sampling.alpha=0']],
  ] as const) {
    await expect(plan([...axes], { set: [set] })).rejects.toThrow(mistake(/^--set .*: has no effect/));
  }
  await expect(plan([], { learningRates: ['1e-5'] })).rejects.toThrow(mistake(/validation/));
  await expect(plan([], { configs: [config, config] })).rejects.toThrow(mistake(/rename one/));
  for (const axis of ['sampling.alpha=0.5,0.50', 'optimizer.learning_rate=1e-3,0.001']) {
    const [first, second] = parseAxis(axis).values;
    const message = new RegExp(`=${second}': the same as '.*=${first}', .*; leave one of them out`);
    await expect(plan([axis])).rejects.toThrow(mistake(message));
  }
});
