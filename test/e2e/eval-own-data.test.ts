/** `synglot eval CONFIG`: a model on a user's own data, as a sweep evaluates it. Not the measures themselves. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from '../faults/cli-support.js';
import { runCliWell } from '../support/cli.js';
import { tinyPairs, writeJsonl } from './support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('own-data');
  await writeJsonl(place.pairs, tinyPairs(40));
});
afterAll(() => place.remove());

const inPlace = (...parts: string[]) => join(place.path, ...parts);
const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

async function evaluated(config: string, model: string, ...more: string[]) {
  const output = inPlace('report.json');
  const args = ['--model', model, '--no-intervals', '--json', output, ...more];
  const { stdout } = await runCliWell(['eval', config, ...args]);
  return { stdout, report: await json(output) };
}

it('what is held out gives the figures of a sweep, prefixes and lengths of the configuration included', async () => {
  const config = await writeConfig(place, 'held-out', {
    hold_out: '{ fraction: 0.3 }',
    text: '{ query_prefix: "red ", query_max_length: 6, passage_max_length: 9 }',
  });
  const output = inPlace('sweep');
  await runCliWell(['sweep', config, '--over', 'sampling.alpha=0.5', '--seeds', '1', '--output', output]);
  const run = join(output, 'sampling.alpha=0.5,seed=0');
  const { summary, counts } = await json(join(run, 'evaluation.json'));
  const { report, stdout } = await evaluated(config, join(run, 'model'));
  expect(report).toMatchObject({ task: 'held-out 30%', summary, counts });
  expect(stdout).toContain('mAP cross');
  // The prefix of a configuration is one for a model without any, too.
  const bare = await evaluated(config, place.model);
  const prefixed = await evaluated(config, place.model, '--query-prefix', 'red ');
  const other = await evaluated(config, place.model, '--query-prefix', '');
  expect(bare.report.summary).toEqual(prefixed.report.summary);
  expect(bare.report.summary).not.toEqual(other.report.summary);
});

it('other pairs, laid out as the configuration says, in some of their languages', async () => {
  const config = await writeConfig(place, 'columns', {
    data: `[{ format: pairs-jsonl, path: ${place.pairs}, limit: 3, columns: { query: q } }]`,
  });
  const rows = tinyPairs(10).map(({ query, ...rest }) => ({ q: query, ...rest }));
  await writeJsonl(inPlace('dev.jsonl'), rows);
  const dev = ['--data', inPlace('dev.jsonl')];
  const all = await evaluated(config, place.model, ...dev);
  expect(all.report.counts.candidates).toEqual({ de: 10, en: 10, fi: 10 });
  const one = await evaluated(config, place.model, ...dev, '--langs', 'en');
  expect(one.report.counts.candidates).toEqual({ en: 10 });
  expect(one.report.summary.map.monolingual).toBeGreaterThan(0);
});

it('in a terminal, the ranking has a bar, as has what is encoded before it', async () => {
  const config = await writeConfig(place, 'bars', {});
  await writeJsonl(inPlace('dev.jsonl'), tinyPairs(10));
  const terminal = 'process.stderr.isTTY = true; process.stderr.columns = 80;';
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(terminal)}` };
  const args = ['eval', config, '--model', place.model, '--data', inPlace('dev.jsonl')];
  const { stderr } = await runCliWell(args, { env });
  for (const bar of [
    /candidates .* 30\/30 texts/,
    /questions .* 30\/30 texts/,
    /ranking .* 30\/30 questions/,
  ]) {
    expect(stderr).toMatch(bar);
  }
});

it('what --set gave the training, it gives the evaluation', async () => {
  const held = (fraction: number) => ({ hold_out: `{ fraction: ${fraction} }` });
  const [small, large] = [
    await writeConfig(place, 'small', held(0.1)),
    await writeConfig(place, 'large', held(0.4)),
  ];
  const set = await evaluated(small, place.model, '--set', 'hold_out.fraction=0.4');
  const { report } = await evaluated(large, place.model);
  expect(set.report.counts).toEqual(report.counts);
  expect(set.report.summary).toEqual(report.summary);
  await expectMistake(
    ['eval', '--set', 'hold_out.fraction=0.4', '--data', 'x'],
    ['--set is for a configuration'],
  );
});

it('--seed is that of the intervals', async () => {
  const config = await writeConfig(place, 'seeded', { hold_out: '{ fraction: 0.4 }' });
  const intervals = async (...more: string[]) => {
    const output = inPlace('seeded.json');
    await runCliWell(['eval', config, '--model', place.model, '--json', output, ...more]);
    return (await json(output)).intervals;
  };
  const first = await intervals();
  expect(await intervals('--seed', '0')).toEqual(first);
  const other = await intervals('--seed', '1');
  expect(other.seed).toBe(1);
  expect(other).not.toEqual({ ...first, seed: 1 });
});

it('nothing to evaluate on, and options of benchmarks, are mistakes', async () => {
  const config = await writeConfig(place, 'plain');
  const args = ['eval', config, '--model', place.model];
  await expectMistake(args, [`${config}: nothing is held out from training`, 'hold_out', '--data']);
  await expectMistake([...args, '--task', 'xquad-r'], ['--task is for benchmarks']);
  await expectMistake([...args, '--depth', '5'], ['--depth', '--save-run']);
  await expectMistake([...args, '--data', inPlace('none.jsonl')], [/none\.jsonl: no such file/]);
  await writeFile(
    inPlace('apart.jsonl'),
    '{"query":"a","passage":"b","query_lang":"en","passage_lang":"de"}\n',
  );
  await expectMistake(
    [...args, '--data', inPlace('apart.jsonl')],
    ['no language has both questions and passages'],
  );
});
