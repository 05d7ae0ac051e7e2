/** Users' mistakes in code-switching, mining and domains: exit 2 and one line that names the remedy. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('data-methods');
});
afterAll(() => place.remove());

const inPlace = (...parts: string[]) => join(place.path, ...parts);

async function expectTrainMistake(
  name: string,
  changes: Readonly<Record<string, string | null>>,
  texts: readonly (string | RegExp)[],
): Promise<void> {
  const config = await writeConfig(place, name, changes);
  await expectMistake(['train', config, '--output', inPlace(`run-${name}`)], texts);
}

describe('code-switching', () => {
  it('a lexicon without a language of the data', async () => {
    await writeFile(inPlace('sv-en.txt'), 'hus house\n');
    await expectTrainMistake('lexicon', { code_switching: `{ lexicons: [${inPlace('sv-en.txt')}] }` }, [
      'code_switching: ',
      "sv-en.txt: the words are in a language of no text: unknown language 'sv'",
      'the data have de, en, fi',
    ]);
  });

  it('a lexicon with a line that is none', async () => {
    await writeFile(inPlace('en-de.txt'), 'house Haus\nold\n');
    await expectTrainMistake('lexicon-line', { code_switching: `{ lexicons: [${inPlace('en-de.txt')}] }` }, [
      /en-de\.txt:2: expected a word and a translation/,
    ]);
  });

  it('a lexicon that is missing', () =>
    expectTrainMistake('no-lexicon', { code_switching: '{ lexicons: [en-fi.txt] }' }, [
      /no-lexicon\.yaml:5: code_switching\.lexicons path en-fi\.txt: no such file/,
    ]));

  it('a misspelt key', () =>
    expectTrainMistake('lexicon-key', { code_switching: '{ lexicon: [en-fi.txt] }' }, ["'code_switching"]));
});

describe('mining', () => {
  const mine = (...args: string[]) => ['mine', '--output', inPlace('mined.jsonl'), ...args];
  const data = () => ['--model', place.model, '--data', place.pairs];

  it('that would exclude everything', () =>
    expectMistake(
      mine(...data(), '--max-score', '-1', '--min-score', '1'),
      [
        /mining leaves no negative for any of 36 questions: of \d+ passages ranked, /,
        /excluded 36 answers, \d+ by max_score; loosen max_score$/,
      ],
      { late: true },
    ));

  it('that would exclude everything, while training', async () => {
    const config = await writeConfig(place, 'mining', { mining: '{ relative_margin: 3 }' });
    await expectMistake(
      ['train', config, '--output', inPlace('run-mining')],
      [/mining: mining leaves no negative .*loosen relative_margin/],
      { late: true },
    );
  });

  it('neither a configuration nor data', () =>
    expectMistake(mine('--model', place.model), ['--model and --data', 'synglot mine --help']));

  it("data of an unknown format, in place of a configuration's", async () => {
    const config = await writeConfig(place, 'formats');
    const given = ['--data', place.pairs, '--format', 'pairs-json'];
    for (const command of [mine(config), ['probe', config, '--model', place.model]]) {
      await expectMistake([...command, ...given], ["--data: unknown data format 'pairs-json'"]);
    }
  });

  it('what data are, and no data', async () => {
    const config = await writeConfig(place, 'no-data');
    const [format, lang] = [
      ['--format', 'pairs-jsonl'],
      ['--lang', 'de'],
    ];
    const trim = ['vocabulary', 'trim', '--model', place.model, '--output', inPlace('small')];
    for (const command of [
      mine(config),
      ['probe', config, '--model', place.model],
      [...trim, '--config', config],
    ]) {
      await expectMistake([...command, ...format], ['--format is of --data, which is not given']);
    }
    await expectMistake([...mine(config), ...lang], ['--lang is of --data, which is not given']);
    const corpus = ['--corpus', 'none.jsonl', '--corpus-lang', 'de'];
    await expectMistake([...mine(config), ...lang, ...corpus], ['--lang is of --data']);
    await expectMistake(mine(...data(), ...corpus.slice(2)), ['--corpus-lang is of --corpus']);
  });

  it("a setting of given data is of those, and not of a configuration's", async () => {
    const config = await writeConfig(place, 'of-given');
    await expectMistake([...mine(config), '--data', place.pairs, '--set', 'data.0.langs=[xx]'], [/xx/]);
  });

  it('a window of ranks that is too narrow', () =>
    expectMistake(mine(...data(), '--range-min', '98'), ['`range_max`', '102']));

  it('data without a language', async () => {
    await writeFile(inPlace('plain.jsonl'), '{"query":"q","passage":"p"}\n');
    await expectMistake(mine('--model', place.model, '--data', inPlace('plain.jsonl')), [
      /plain\.jsonl:1: the language of the question is unknown/,
    ]);
  });

  it('a corpus without a language', () =>
    expectMistake(mine(...data(), '--corpus', 'corpus.jsonl'), ['--corpus-lang']));

  it('a misspelt key', () =>
    expectTrainMistake('mining-key', { mining: '{ negative: 3 }' }, [
      "unknown key 'mining.negative'",
      "did you mean 'negatives'",
    ]));
});

describe('domains', () => {
  const raw = (options: string) => `[{ format: raw-text, path: ${inPlace('raw.txt')}, ${options} }]`;
  const stages = (weights: string) =>
    `{ batch_size: 4, mode: monolingual, domains: { weights: ${weights} } }`;

  it('a stage without the weight of a domain', () =>
    expectTrainMistake('stage', { sampling: stages('[[0, { pairs: 1 }], [1, { pair: 1 }]]') }, [
      'stage.yaml:3: sampling: ',
      "`domains.weights`: nothing is called 'pair' (did you mean 'pairs'?)",
    ]));

  it('steps of stages that do not rise', () =>
    expectTrainMistake('rising', { sampling: stages('[[5, { pairs: 1 }], [5, { pairs: 1 }]]') }, [
      'rising steps',
    ]));

  it('the weight of a domain that is held out as a whole', async () => {
    const row = { query: 'q', passage: 'p', lang: 'en', parallel_id: '11', dataset: 'one', domain: 'few' };
    await writeFile(inPlace('one.jsonl'), JSON.stringify(row));
    const files = [place.pairs, inPlace('one.jsonl')].map((path) => `{ format: pairs-jsonl, path: ${path} }`);
    await expectTrainMistake(
      'held-out',
      {
        data: `[${files.join(', ')}]`,
        hold_out: '{ fraction: 0.1 }',
        sampling: stages('{ pairs: 1, few: 1 }'),
      },
      [
        /held-out\.yaml:\d: sampling\.domains\.weights: 'few' has no pair to train on, .* held out; leave it out/,
      ],
    );
  });

  it('raw text without a language', async () => {
    await writeFile(inPlace('raw.txt'), 'One sentence only.\n');
    await expectTrainMistake('raw-lang', { data: raw('task: dropout-views') }, [/raw\.txt:1: the language/]);
  });

  it('raw text without two sentences', () =>
    expectTrainMistake('raw-cloze', { data: raw('lang: en, task: inverse-cloze') }, [
      /raw\.txt: none of 1 texts has two sentences.*use dropout-views/,
    ]));

  it('an unknown task', () =>
    expectTrainMistake('raw-task', { data: raw('lang: en, task: cloze') }, [/`task`.*'cloze'/]));
});
