/** Which pairs go to validation, further passages to mine among, and mistakes with the line of the configuration. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { parseConfig } from './config.js';
import { checkWeights, dataKey, readData } from './run-data.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-run-data-'));
  const rows = ['en', 'de'].flatMap((lang) =>
    Array.from({ length: 40 }, (_, i) => ({
      query: `q${i} ${lang}`,
      passage: `p${i} ${lang}`,
      lang,
      parallel_id: String(i),
    })),
  );
  await writeFile(join(folder, 'p.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => rm(folder, { recursive: true }));

const read = (validation: string) => {
  const path = JSON.stringify(join(folder, 'p.jsonl'));
  const text = `model: m\ndata: [{ format: pairs-jsonl, path: ${path} }]\ntraining: { steps: 1 }\nvalidation: ${validation}\n`;
  const notices: string[] = [];
  return readData(parseConfig(text, 'run.yaml'), (line) => notices.push(line));
};

test('languages of the validation may be spelt as the data spell them', async () => {
  const { training, validation } = await read('{ fraction: 0.5, langs: [English] }');
  expect(validation?.languages).toEqual(['en']);
  // What is held out is in no language of the training data.
  const held = new Set(validation!.rows.map(({ parallelId }) => parallelId));
  expect(held.size).toBeGreaterThan(5);
  expect(training.rows.some(({ parallelId }) => held.has(parallelId))).toBe(false);
});

test('a language of the validation that the data have not is refused: its share would be lost', async () => {
  await expect(read('{ fraction: 0.5, langs: [fi] }')).rejects.toThrow(
    "validation.langs: unknown language 'fi'; the data have de, en",
  );
});

const withFiles = (rest: string) =>
  parseConfig(`model: m\ntraining: { steps: 1 }\n${rest.replaceAll('HERE', folder)}`, 'run.yaml');

test('reading ends where it is asked to', async () => {
  const config = withFiles('data: [{ format: pairs-jsonl, path: HERE/p.jsonl }]\n');
  const stopped = readData(config, () => undefined, AbortSignal.abort());
  await expect(stopped).rejects.toMatchObject({ code: 'STOPPED' });
});

test('with equal seeds, what is set aside and what is validated on are drawn apart', async () => {
  const config = withFiles(
    'data: [{ format: pairs-jsonl, path: HERE/p.jsonl }]\nvalidation: { fraction: 0.4 }\nhold_out: { fraction: 0.4, seed: 42 }\n',
  );
  const training = { ...config.training, seed: 42 };
  const { heldOut, validation } = await readData({ ...config, training }, () => undefined);
  // 0.4 of 40, and 0.4 of what is left; drawn together, nothing would be left to validate on.
  expect(heldOut!.items.length).toBeGreaterThan(5);
  expect(validation!.items.length).toBeGreaterThan(3);
});

test('a long reading says how far it is', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => ({ query: `q${i}`, passage: `p${i}`, lang: 'en' }));
  await writeFile(join(folder, 'many.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  // At each look, six seconds later.
  let time = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (time += 6000));
  onTestFinished(() => clock.mockRestore());
  const notices: string[] = [];
  const config = withFiles('data: [{ format: pairs-jsonl, path: HERE/many.jsonl }]\n');
  await readData(config, (line) => notices.push(line));
  expect(notices).toEqual(['reading: 2048 pairs so far', 'reading: 4096 pairs so far']);
});

test('texts that are held out and trained on under other ids are told', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ query: 'Translate', passage: `p${i}`, lang: 'en' }));
  await writeFile(join(folder, 't.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const notices: string[] = [];
  const data = 'data: [{ format: pairs-jsonl, path: HERE/FILE }]\nhold_out: { fraction: 0.5 }\n';
  await readData(withFiles(data.replace('FILE', 'p.jsonl')), (line) => notices.push(line));
  expect(notices).toEqual([]);
  await readData(withFiles(data.replace('FILE', 't.jsonl')), (line) => notices.push(line));
  expect(notices).toEqual([
    expect.stringMatching(
      /^hold_out: 1 of 1 questions and 0 of \d+ passages are in the training data word for word$/,
    ),
  ]);
});

test('what is held out is no negative in training either, and is not mined among', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => {
    const [one, other] = [(i + 7) % 60, (i + 31) % 60];
    return {
      query: `q${i}`,
      passage: `p${i}`,
      passage_parallel_id: `id${i}`,
      lang: 'en',
      // Known by its id, in another wording; by its text alone; and what answers nothing.
      negatives: [{ text: `P-${one}`, parallel_id: `id${one}` }, ` P${other}`, 'n'],
      margins: [one, other, 60],
    };
  });
  await writeFile(join(folder, 'n.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const documents = rows.map(({ passage }, i) => JSON.stringify({ _id: `c${i}`, text: passage }));
  await writeFile(join(folder, 'all.jsonl'), `${documents.join('\n')}\n`);
  const data = 'data: [{ format: pairs-jsonl, path: HERE/n.jsonl }]\n';
  const config = withFiles(
    `${data}hold_out: { fraction: 0.3 }\nvalidation: { fraction: 0.3 }\nmargin_mse: { margins: scores }\n`,
  );
  // A run has the one or the other.
  const { mining } = withFiles(`${data}mining: { corpus: [{ path: HERE/all.jsonl, lang: en }] }\n`);
  const { training, validation, heldOut } = await readData({ ...config, mining }, () => undefined);
  /** Which of the 60 a passage is. */
  const numberOf = (set: typeof training, passage: number) => {
    const { text } = set.rows[set.passages[passage]![0]!]!;
    return text === 'n' ? 60 : Number(/\d+/.exec(text)![0]);
  };
  const answers = (set: typeof training) => new Set(set.items.map(({ passage }) => numberOf(set, passage)));
  const passages = (set: typeof training) => [
    ...new Set(set.passages.map((_, passage) => numberOf(set, passage))),
  ];
  const aside = answers(heldOut!);
  expect(Math.min(aside.size, answers(validation!).size)).toBeGreaterThan(5);
  expect(answers(training).size + aside.size + answers(validation!).size).toBe(60);
  expect(new Set(passages(training))).toEqual(new Set([...answers(training), 60]));
  expect(passages(validation!).filter((number) => aside.has(number))).toEqual([]);
  // What is trained on may be a negative in validation.
  expect(passages(validation!).some((number) => answers(training).has(number))).toBe(true);
  for (const set of [training, validation!])
    for (const { negatives, margins = [] } of set.items)
      expect(negatives.map((passage) => numberOf(set, passage))).toEqual(margins);
});

test('a weight of a data set or domain that is held out as a whole is refused as that', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ query: `q${i}`, passage: `p${i}`, lang: 'en' }));
  const lines = rows.map((row, i) => JSON.stringify({ ...row, dataset: `set${i}`, domain: `domain${i}` }));
  await writeFile(join(folder, 'd.jsonl'), `${lines.join('\n')}\n`);
  const weights = (name: string, numbers: readonly number[]) =>
    `{ ${numbers.map((i) => `${name}${i}: 1`).join(', ')} }`;
  const config = (sampling: string) =>
    withFiles(
      `data: [{ format: pairs-jsonl, path: HERE/d.jsonl }]\nhold_out: { fraction: 0.3 }\nvalidation: { fraction: 0.3 }\nsampling:\n  ${sampling}\n`,
    );
  const data = await readData(config('mode: monolingual'), () => undefined);
  const drawn = data.training.items.map(({ dataset }) => Number(data.training.datasets[dataset]!.slice(3)));
  const check = (sampling: string) => () => checkWeights(config(sampling), data);
  for (const side of [data.heldOut!, data.validation!]) {
    const aside = Number(side.datasets[0]!.slice(3));
    const all = [...drawn, aside];
    const message = (key: string, name: string) =>
      `run.yaml:7: sampling.${key}.weights: '${name}${aside}' has no pair to train on, all of its passages are held out`;
    expect(check(`datasets: { weights: ${weights('set', all)} }`)).toThrow(message('datasets', 'set'));
    const stages = `[[0, ${weights('domain', drawn)}], [5, ${weights('domain', all)}]]`;
    expect(check(`domains: { weights: ${stages} }`)).toThrow(message('domains', 'domain'));
  }
  expect(check(`datasets: { weights: ${weights('set', drawn)} }`)).not.toThrow();
  // A name that is nowhere is the sampler's to refuse.
  expect(check('datasets: { weights: { sets: 1 } }')).not.toThrow();
});

test('what is read is named by a key: a sweep reads anew where it would be other data', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ query: `q${i}`, passage: `p${i}`, lang: 'en' }));
  const scored = rows.map((row) => ({ ...row, negatives: ['n'], scores: [2, 1] }));
  await writeFile(join(folder, 's.jsonl'), scored.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await writeFile(join(folder, 'c.jsonl'), `${JSON.stringify({ _id: '1', text: 'document' })}\n`);
  const same = async (pairs: string, one: string, other: string) => {
    const configs = [one, other].map((rest) =>
      withFiles(`data: [{ format: pairs-jsonl, path: HERE/${pairs} }]\n${rest}`),
    );
    const read = await Promise.all(configs.map((config) => readData(config, () => undefined)));
    const [a, b] = read.map((sides) =>
      [sides.training, sides.validation, sides.heldOut].map((set) => set?.fingerprint),
    );
    expect(dataKey(configs[0]!) === dataKey(configs[1]!)).toBe(JSON.stringify(a) === JSON.stringify(b));
    return dataKey(configs[0]!) === dataKey(configs[1]!);
  };
  const validated = 'validation: { fraction: 0.5, langs: [LANG] }\n';
  expect(await same('p.jsonl', validated.replace('LANG', 'en'), validated.replace('LANG', 'de'))).toBe(false);
  const corpus = 'mining: { corpus: [{ path: HERE/c.jsonl, lang: en }] }\n';
  expect(await same('p.jsonl', 'mining: {}\n', corpus)).toBe(false);
  const scores = 'margin_mse: { margins: scores }\n';
  expect(await same('s.jsonl', scores, '')).toBe(false);
  expect(await same('p.jsonl', 'hold_out: { fraction: 0.2 }\n', 'hold_out: { fraction: 0.3 }\n')).toBe(false);
  expect(await same('p.jsonl', 'sampling: { alpha: 0.1 }\n', 'sampling: { alpha: 0.9 }\n')).toBe(true);
});

test('passages to mine among come from shards, as training pairs do', async () => {
  for (const part of [0, 1]) {
    const documents = [0, 1].map((i) => JSON.stringify({ _id: `${part}${i}`, text: `document ${part}${i}` }));
    await writeFile(join(folder, `corpus-${part}.jsonl`), `${documents.join('\n')}\n`);
  }
  const texts = async (path: string) => {
    const config = withFiles(
      `data: [{ format: pairs-jsonl, path: HERE/p.jsonl }]\nmining: { corpus: [{ path: ${path}, lang: en, dataset: d }] }\n`,
    );
    const { rows } = (await readData(config, () => undefined)).training;
    return rows.map(({ text }) => text).filter((text) => text.startsWith('document'));
  };
  const all = ['document 00', 'document 01', 'document 10', 'document 11'];
  expect(await texts('HERE/corpus-*.jsonl')).toEqual(all);
  expect(await texts('[HERE/corpus-0.jsonl, HERE/corpus-1.jsonl]')).toEqual(all);
});

test.each([
  [
    'a glob that matches nothing',
    'data:\n  - format: parquet\n    path: HERE/none-*.parquet\n',
    /^run\.yaml:5: data path \S+none-\*\.parquet: no file matches; in .*; correct the glob$/,
  ],
  [
    'one of a list, before the first is read',
    'data:\n  - format: pairs-jsonl\n    path:\n      - HERE/p.jsonl\n      - none.jsonl\n',
    'run.yaml:7: data path none.jsonl: no such file or folder (relative paths start at the current folder)',
  ],
  [
    'a file that is there twice',
    'data: [{ format: pairs-jsonl, path: [HERE/p.jsonl, HERE/p*.jsonl] }]\n',
    /^run\.yaml:3: data path \S+p\.jsonl: given twice in /,
  ],
  [
    'a folder of shards',
    'data:\n  - { format: raw-text, path: HERE, lang: en }\n',
    /^run\.yaml:4: data path \S+: a folder, but this format reads files; give a glob such as /,
  ],
  [
    'an option of another type',
    'data: [{ format: pairs-jsonl, path: HERE/p.jsonl, query_lang: 3 }]\n',
    /^run\.yaml:3: \S+p\.jsonl: `query_lang`: expected a text but received number 3$/,
  ],
  [
    'a corpus, before the pairs are read',
    'data: [{ format: pairs-jsonl, path: HERE/broken.jsonl }]\nmining:\n  corpus:\n    - { path: HERE/none*, lang: en }\n',
    /^run\.yaml:6: mining\.corpus path \S+none\*: no file matches; /,
  ],
])('the line of the configuration: %s', async (_, rest, message) => {
  await writeFile(join(folder, 'broken.jsonl'), '{');
  await expect(readData(withFiles(rest), () => undefined)).rejects.toThrow(message);
});

test('an override and an option of the command line stand where the line would', async () => {
  const text = `model: m\ntraining: { steps: 1 }\ndata: [{ format: pairs-jsonl, path: ${folder}/p.jsonl }]\n`;
  const overridden = parseConfig(text, 'run.yaml', ['data.0.path=none*.jsonl']);
  await expect(readData(overridden, () => undefined)).rejects.toThrow(
    /^data\.0\.path=none\*\.jsonl: data path none\*\.jsonl: no file matches/,
  );
  const given = parseConfig(text.replace('p.jsonl', 'q.jsonl'), '--data');
  await expect(readData({ ...given, hold_out: undefined }, () => undefined)).rejects.toThrow(
    /^--data: data path \S+q\.jsonl: no such file/,
  );
});
