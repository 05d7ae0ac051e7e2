/**
 * `synglot sweep`: killed in the middle and run again, it ends with the results of an unbroken one and does no
 * finished run twice; its table, tests and curve are those of the runs in its folder.
 */
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectMistake } from '../faults/cli-support.js';
import { runCli, runCliWell, startCli } from '../support/cli.js';
import { saveTinyModel, sharedPath, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let config: string;
beforeAll(async () => {
  folder = await testFolder('sweep');
  const model = join(folder.path, 'tiny');
  await saveTinyModel(model);
  const pairs = join(folder.path, 'pairs.jsonl');
  await writeJsonl(pairs, tinyPairs(80));
  config = join(folder.path, 'tiny.yaml');
  await writeFile(
    config,
    `model: ${model}
data: [{ format: pairs-jsonl, path: ${pairs} }]
hold_out: { fraction: 0.3 }
sampling: { mode: hybrid, batch_size: 4 }
training: { steps: 8 }
optimizer: { learning_rate: 0.003 }
validation: { fraction: 0.2, every: 4, batches: 1 }
checkpoint: { every: 2 }
`,
  );
});
afterAll(() => folder.remove());

const sweep = ['--over', 'sampling.alpha=0:1:0.5', '--seeds', '2'];

interface Sweep {
  readonly settings: {
    readonly label: string;
    readonly runs: {
      readonly seed: number;
      readonly queries: number;
      readonly seen_in_training?: { readonly questions: { readonly all: number } };
      readonly summary: { readonly map: Record<string, number> };
    }[];
    readonly figures: Record<string, { readonly mean: number; readonly low: number; readonly high: number }>;
  }[];
  readonly comparisons: {
    readonly system: string;
    readonly figure: string;
    readonly p: number;
    difference: number;
  }[];
}

/** `sweep.json` without what the clock decides. */
async function readSweep(output: string): Promise<Sweep> {
  const text = await readFile(join(output, 'sweep.json'), 'utf8');
  return JSON.parse(text, (key, value) => (key === 'training_seconds' ? undefined : value)) as Sweep;
}

const runNames = (output: string) =>
  readdirSync(output)
    .filter((name) => name.includes('seed='))
    .sort();
const finished = (output: string) =>
  runNames(output).filter((name) => readdirSync(join(output, name)).includes('run.json'));

it('killed and run again, it equals the unbroken one, and finished runs are not touched', async () => {
  const unbroken = join(folder.path, 'unbroken');
  const { stdout } = await runCliWell(['sweep', config, ...sweep, '--output', unbroken]);
  expect(stdout).toMatch(/sampling\.alpha=0\.5 +0\.\d{4} ± /);
  expect(runNames(unbroken)).toEqual([
    'sampling.alpha=0,seed=0',
    'sampling.alpha=0,seed=1',
    'sampling.alpha=0.5,seed=0',
    'sampling.alpha=0.5,seed=1',
    'sampling.alpha=1,seed=0',
    'sampling.alpha=1,seed=1',
  ]);

  const broken = join(folder.path, 'broken');
  const run = startCli(['sweep', config, ...sweep, '--output', broken]);
  while (run.child.exitCode === null && finishedOrNone(broken).length < 2) await setTimeout(5);
  run.child.kill('SIGKILL');
  await run.done;
  const before = new Map(
    finished(broken).map((name) => [name, statSync(join(broken, name, 'run.json')).mtimeMs]),
  );
  expect(before.size).toBeGreaterThanOrEqual(2);
  expect(before.size).toBeLessThan(6);
  const { errorLines } = await runCliWell(['sweep', config, ...sweep, '--output', broken]);
  expect(errorLines.filter((line) => line.endsWith('(was done)'))).toHaveLength(before.size);
  for (const [name, time] of before) expect(statSync(join(broken, name, 'run.json')).mtimeMs).toBe(time);
  expect(await readSweep(broken)).toEqual(await readSweep(unbroken));
  for (const name of runNames(unbroken)) {
    const [a, b] = await Promise.all(
      [unbroken, broken].map((output) => readFile(join(output, name, 'model/model.safetensors'))),
    );
    expect(a!.equals(b!), name).toBe(true);
  }
}, 300_000);

function finishedOrNone(output: string): string[] {
  try {
    return finished(output);
  } catch {
    return [];
  }
}

it('goes on with the kernels that it began with, tuned or not', async () => {
  const output = join(folder.path, 'kernels');
  const begun = ['sweep', config, '--output', output];
  await runCliWell([...begun, '--seeds', '1'], { env: { SYNGLOT_TUNING: 'off' } });
  expect(JSON.parse(await readFile(join(output, 'tuning.json'), 'utf8')).choices).toEqual({});
  // Another table, which is not read: there is none of that name.
  const later = { env: { SYNGLOT_TUNING: join(folder.path, 'none.json') } };
  await runCliWell([...begun, '--seeds', '2'], later);
  await writeFile(join(output, 'tuning.json'), '{}');
  const { code, errorLines } = await runCli([...begun, '--seeds', '2']);
  expect(code).toBe(2);
  expect(errorLines.at(-1)).toMatch(/kernels\/tuning\.json: no table of tuned kernels/);
});

it('means are of the runs, tests are between the settings, the curve is a picture, the page has the runs', async () => {
  const output = join(folder.path, 'unbroken');
  const { settings, comparisons } = await readSweep(output);
  for (const { runs, figures } of settings) {
    const values = runs.map(({ summary }) => summary.map.multilingual as number);
    expect(figures['mAP multilingual']!.mean).toBeCloseTo((values[0]! + values[1]!) / 2, 12);
    expect(figures['mAP multilingual']!.low).toBeLessThanOrEqual(Math.min(...values));
    for (const run of runs) expect(run.seen_in_training!.questions.all).toBe(run.queries);
  }
  expect(comparisons.map(({ system, figure }) => `${system}: ${figure}`)).toEqual(
    ['sampling.alpha=0.5', 'sampling.alpha=1'].flatMap((system) =>
      ['mAP monolingual', 'mAP cross-lingual', 'mAP multilingual', 'rank distance'].map(
        (figure) => `${system}: ${figure}`,
      ),
    ),
  );
  for (const { system, figure, difference, p } of comparisons) {
    const mean = (label: string) => settings.find((each) => each.label === label)!.figures[figure]!.mean;
    // Per-question values are averaged over seeds, so the difference is that of the means.
    expect(difference).toBeCloseTo(mean(system) - mean('sampling.alpha=0'), 9);
    expect(p).toBeGreaterThan(0);
    expect(p).toBeLessThanOrEqual(1);
  }
  const svg = await readFile(join(output, 'curve-sampling.alpha.svg'), 'utf8');
  expect(svg.match(/<circle [^>]*r="3.5"/g)).toHaveLength(4 * 3);
  expect(svg).not.toContain('NaN');
  const csv = (await readFile(join(output, 'sweep.csv'), 'utf8')).trim().split('\n');
  expect(csv).toHaveLength(1 + settings.length * 2);
  const [name, , , , , third] = csv[0]!.split(',');
  expect([name, third]).toEqual(['setting', 'AP multilingual']);
  expect(Number(csv[1]!.split(',')[5])).toBe(settings[0]!.runs[0]!.summary.map.multilingual);
  expect(await readFile(join(output, 'sweep.tex'), 'utf8')).toContain('\nsampling.alpha=0.5 & 0.');
  const runs = [0, 1].map((seed) => join(output, `sampling.alpha=0.5,seed=${seed}`));
  const compared = await runCliWell(['compare', ...runs, '--format', 'latex']);
  expect(compared.stdout).toContain('sampling.alpha=0.5, seed 1 & 0.');
  const page = join(folder.path, 'report.html');
  await runCliWell(['report', output, '--output', page]);
  expect(await readFile(page, 'utf8')).toContain('sampling.alpha=0.5, seed 1');
});

const xquad = sharedPath('data/xquad-r');

it.skipIf(!xquad)('evaluates finished runs on a benchmark without training them again', async () => {
  const output = join(folder.path, 'unbroken');
  const metrics = runNames(output).map((name) => join(output, name, 'metrics.jsonl'));
  const before = metrics.map((path) => statSync(path).mtimeMs);
  const held = await readSweep(output);
  const task = ['--task', 'xquad-r', '--data', xquad!, '--langs', 'en,de'];
  await runCliWell(['sweep', config, ...sweep, ...task, '--output', output]);
  expect(metrics.map((path) => statSync(path).mtimeMs)).toEqual(before);
  const { settings, ...rest } = await readSweep(output);
  expect(rest).toMatchObject({ langs: ['en', 'de'], queries: 2380 });
  expect(settings[0]!.runs[0]!.seen_in_training).toBeUndefined();
  const means = (from: Sweep['settings']) => from.map(({ figures }) => figures['mAP monolingual']!.mean);
  expect(means(settings)).not.toEqual(means(held.settings));
});

it('keeps the learning rate with the lowest validation loss', async () => {
  const output = join(folder.path, 'rates');
  const { stdout } = await runCliWell([
    ...['sweep', config, '--learning-rates', '1e-9,0.003', '--seeds', '1', '--output', output],
    ...['--set', 'training.warmup=0'],
  ]);
  expect(stdout).toMatch(/^optimizer\.learning_rate=0\.003 \* /m);
  expect(stdout).not.toMatch(/1e-9 \*/);
});

it('runs that diverge, in the middle or in the last update, are reported, and the others go on', async () => {
  const output = join(folder.path, 'diverged');
  const over = ['optimizer.learning_rate=1e10,0.003', 'training.steps=2,4'].flatMap((axis) => [
    '--over',
    axis,
  ]);
  const { stdout } = await runCliWell(['sweep', config, ...over, '--seeds', '1', '--output', output]);
  expect(stdout.match(/1e10, training\.steps=[24] \(1 of 1 diverged\) +- +- +- +-/g)).toHaveLength(2);
  const { settings, comparisons } = await readSweep(output);
  expect(settings.map(({ runs }) => runs[0]!.summary !== null)).toEqual([false, false, true, true]);
  expect(comparisons).toHaveLength(4);
});

it('runs with other questions are reported and not compared', async () => {
  const output = join(folder.path, 'apart');
  const over = ['--over', 'hold_out.seed=0,1', '--seeds', '1'];
  const { stdout } = await runCliWell(['sweep', config, ...over, '--output', output]);
  expect(stdout).toMatch(/^Asked other questions than hold_out\.seed=0, .*: hold_out\.seed=1$/m);
  const { settings, comparisons } = await readSweep(output);
  expect(settings).toHaveLength(2);
  expect(comparisons).toEqual([]);
});

it('errors name the file of a damaged result, and of a table that cannot be written', async () => {
  const output = join(folder.path, 'damaged');
  const args = ['sweep', config, '--seeds', '1', '--output', output];
  await runCliWell(args);
  await rm(join(output, 'sweep.tex'));
  await mkdir(join(output, 'sweep.tex'));
  const { code, errorLines } = await runCli(args);
  expect([code, errorLines.at(-1)]).toEqual([
    2,
    expect.stringMatching(/sweep\.tex: not written, a folder has/),
  ]);
  for (const [name, text] of [
    ['per-query.json', '{'],
    ['run.json', ''],
  ] as const) {
    await writeFile(join(output, 'tiny,seed=0', name), text);
    const told = `${name}: missing or damaged; remove the folder of this run`;
    await expectMistake(args, [told], { late: true });
  }
});

it('says what is wrong in one line', async () => {
  const output = ['--output', join(folder.path, 'wrong')];
  await expectMistake(
    ['sweep', config, '--over', 'sampling.aplha=0,1', ...output],
    ['sampling.aplha=0', "unknown key 'sampling.aplha'", "did you mean 'alpha'"],
  );
  await expectMistake(
    ['sweep', config, '--over', 'sampling.alpha', ...output],
    ['expected key=from:to:step'],
  );
  await expectMistake(['sweep', config, '--task', 'xquad-r', ...output], ['--task xquad-r needs --data']);
  await expectMistake(
    ['sweep', config, '--over', 'sampling.alpha=0,1', '--baseline', 'x', ...output],
    ["--baseline 'x'", 'sampling.alpha=0'],
  );
  await expectMistake(
    ['sweep', config, '--over', 'sampling.batch_size=10000', '--seeds', '1', ...output],
    [/^synglot: sampling\.batch_size=10000, seed 0: .*10000/],
    { late: true },
  );
  const without = join(folder.path, 'without.yaml');
  await writeFile(without, (await readFile(config, 'utf8')).replace(/^hold_out.*\n/m, ''));
  await expectMistake(['sweep', without, '--seeds', '1', ...output], ['no hold_out', '--task']);
  await rm(join(folder.path, 'wrong'), { recursive: true, force: true });
});
