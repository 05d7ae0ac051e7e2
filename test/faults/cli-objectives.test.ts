/** Users' mistakes in objectives, teachers, probes and dimensions: exit 2 and one line that names the remedy. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainingSet } from '@synglot/data';
import { openTrainingData } from '@synglot/data/files';
import { teacherTexts, writeTeacher } from '@synglot/train';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

let place: Workplace;
const inPlace = (...parts: string[]) => join(place.path, ...parts);

/** A teacher with embeddings of `dimension` numbers for the English texts of a file. */
async function makeTeacher(folder: string, data: string, dimension: number): Promise<void> {
  const set = await TrainingSet.read(openTrainingData({ format: 'pairs-jsonl', path: data }));
  const texts = teacherTexts(set, 'en');
  const info = { model: 'none', lang: 'en', query_prefix: '', passage_prefix: '' };
  await writeTeacher(inPlace(folder), info, texts, new Float32Array(texts.length * dimension).fill(0.5));
}

beforeAll(async () => {
  place = await makeWorkplace('objectives');
  const other = [{ query: 'red?', passage: 'green.', lang: 'en', parallel_id: 'x' }];
  await writeFile(inPlace('other.jsonl'), `${JSON.stringify(other[0])}\n`);
  await makeTeacher('teacher', place.pairs, 16);
  await makeTeacher('wide', place.pairs, 24);
  await makeTeacher('stranger', inPlace('other.jsonl'), 16);
  await mkdir(inPlace('empty'));
});
afterAll(() => place.remove());

async function expectTrainMistake(
  name: string,
  changes: Readonly<Record<string, string | null>>,
  texts: readonly (string | RegExp)[],
): Promise<void> {
  const config = await writeConfig(place, name, changes);
  await expectMistake(['train', config, '--output', inPlace(`run-${name}`)], texts);
}

describe('matryoshka', () => {
  it('a dimension that the model does not have', () =>
    expectTrainMistake('wide', { matryoshka: '{ dimensions: [16, 32] }' }, [
      'matryoshka.dimensions: expected multiples of 4 up to 16',
      'received 32',
    ]));

  it('weights for other dimensions', () =>
    expectTrainMistake('weights', { matryoshka: '{ dimensions: [16, 8], weights: [1] }' }, [
      'weights.yaml:5: ',
      'as many weights as dimensions',
    ]));
});

describe('learnable temperature', () => {
  it('a start outside its range', () =>
    expectTrainMistake('start', { loss: '{ temperature: 0.5, learnable_temperature: { most: 0.1 } }' }, [
      'start.yaml:5: ',
      'within learnable_temperature.least and most',
    ]));

  it('a misspelt key', () =>
    expectTrainMistake('key', { loss: '{ learnable_temperature: { minimum: 0.1 } }' }, [
      "unknown key 'loss.learnable_temperature.minimum'",
    ]));
});

describe('distillation', () => {
  it('a teacher that is not there', () =>
    expectTrainMistake('none', { distillation: `{ teacher: ${inPlace('empty')} }` }, [
      'distillation.teacher: ',
      "no stored teacher's embeddings there; make it with: synglot distill-teacher",
    ]));

  it('a teacher of another width', () =>
    expectTrainMistake('width', { distillation: `{ teacher: ${inPlace('wide')} }` }, [
      "embeddings of 24 numbers, the model's have 16",
    ]));

  it('a teacher of other data', () =>
    expectTrainMistake('stranger', { distillation: `{ teacher: ${inPlace('stranger')} }` }, [
      'stranger has an embedding for none of the 24 questions and passages',
    ]));

  it('texts in a language that the data do not have', async () => {
    const config = await writeConfig(place, 'language');
    await expectMistake(
      ['distill-teacher', config, '--teacher', place.model, '--output', inPlace('out'), '--lang', 'sv'],
      ['--lang sv: no text of', 'the data have de, en, fi'],
    );
  });

  it('MarginMSE without negatives', () =>
    expectTrainMistake('margins', { margin_mse: `{ teacher: ${inPlace('teacher')} }` }, [
      'margin_mse: the data have no hard negatives; mine some with: synglot mine',
    ]));
});

describe('MarginMSE', () => {
  it('neither a teacher nor scores', () =>
    expectTrainMistake('neither', { margin_mse: '{ weight: 1 }' }, [
      'neither.yaml:5: ',
      "'margin_mse.teacher': name a folder of a teacher's embeddings, or set margins: scores",
    ]));

  it('both', () =>
    expectTrainMistake('both', { margin_mse: `{ margins: scores, teacher: ${inPlace('teacher')} }` }, [
      "'margin_mse.teacher': margins: scores takes no teacher",
    ]));

  it('a row without scores', async () => {
    const rows = [{ query: 'red?', passage: 'green.', lang: 'en', negatives: ['blue.'] }];
    await writeFile(inPlace('unscored.jsonl'), `${JSON.stringify(rows[0])}\n`);
    await expectTrainMistake(
      'unscored',
      {
        data: `[{ format: pairs-jsonl, path: ${inPlace('unscored.jsonl')} }]`,
        margin_mse: '{ margins: scores }',
      },
      [/unscored\.jsonl:1: the row has negatives but no scores; add 'scores'/],
    );
  });

  it('a format that has negatives and no scores', async () => {
    const row = {
      query_id: '1',
      query: 'red?',
      positive_passages: [{ docid: '1', title: '', text: 'green.' }],
      negative_passages: [{ docid: '2', title: '', text: 'blue.' }],
    };
    await writeFile(inPlace('tevatron.jsonl'), `${JSON.stringify(row)}\n`);
    await expectTrainMistake(
      'tevatron',
      {
        data: `[{ format: tevatron, path: ${inPlace('tevatron.jsonl')}, lang: en }]`,
        margin_mse: '{ margins: scores }',
      },
      [/tevatron\.jsonl: '1' has negatives, but this format has no scores for margin_mse\.margins: scores/],
    );
  });

  it('scores and no negatives at all', () =>
    expectTrainMistake('no-negatives', { margin_mse: '{ margins: scores }' }, [
      'margin_mse: the data have no hard negatives',
    ]));

  it('scores for negatives that are yet to be mined', () =>
    expectTrainMistake('mining', { margin_mse: '{ margins: scores }', mining: '{ every: 1 }' }, [
      'margin_mse.margins: scores: what `mining` finds in the run has no scores',
    ]));
});

describe('adversarial', () => {
  it('one language', () =>
    expectTrainMistake(
      'alone',
      {
        data: `[{ format: pairs-jsonl, path: ${place.pairs}, langs: [en] }]`,
        sampling: '{ batch_size: 4, mode: monolingual }',
        adversarial: '{ hidden: 8 }',
      },
      ['adversarial: a language discriminator needs two languages, but the data have en alone'],
    ));

  it('an unknown schedule', () =>
    expectTrainMistake('schedule', { adversarial: '{ schedule: ganine }' }, ['schedule.yaml:5: ']));

  it('perturbations with gradient caching', () =>
    expectTrainMistake('fgm', { fgm: '{ epsilon: 1 }', training: '{ steps: 2, cache_tokens: 64 }' }, [
      'fgm: perturbations go over the encoder twice, which gradient caching does not; leave training.cache_tokens out',
    ]));
});

describe('probe and dimension', () => {
  it('neither a configuration nor data', () =>
    expectMistake(
      ['probe', '--model', place.model],
      ['give a configuration or --data', 'synglot probe --help'],
    ));

  it('one language', () =>
    expectMistake(
      ['probe', '--model', place.model, '--data', inPlace('other.jsonl')],
      ['a language probe needs texts in two languages'],
      { late: true },
    ));

  it('more numbers than there are', async () => {
    await writeFile(inPlace('lines.txt'), 'red\n');
    const args = [
      'encode',
      '--model',
      place.model,
      '--input',
      inPlace('lines.txt'),
      '--output',
      inPlace('e.npy'),
    ];
    await expectMistake([...args, '--dimension', '32'], ['dimension 32', 'have 16 numbers'], { late: true });
    await expectMistake([...args, '--dimension', '6'], ['--dimension', 'expected a multiple of 4']);
  });
});
