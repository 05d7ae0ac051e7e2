/** What a measure of the validation is computed on, and refusals of one that nothing can be computed for. */
import { type Pair, TrainingSet } from '@synglot/data';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { measureCollection } from './validation-measure.js';

/** Question and passage `id`, in their languages; the same id and language is the same text. */
const pair = (id: string, lang: string, passageLang = lang): Pair => {
  const row = (text: string, of: string) => ({
    id,
    text: `${text} ${id} ${of}`,
    lang: of,
    parallelId: id,
    dataset: 'd',
    domain: 'd',
  });
  return { query: row('q', lang), passage: row('p', passageLang), negatives: [] };
};
const alone = TrainingSet.from([pair('1', 'en'), pair('2', 'en'), pair('3', 'fi')]);
const across = TrainingSet.from([pair('1', 'en', 'fi'), pair('2', 'fi', 'en')]);
const parallel = TrainingSet.from([pair('1', 'en'), pair('1', 'fi'), pair('2', 'en')]);

const collectionOf = (set: TrainingSet, validation: string) => () =>
  measureCollection(
    parseConfig(
      `model: m\ndata: [{ format: pairs-jsonl, path: p.jsonl }]\ntraining: { steps: 1 }\nvalidation: { ${validation} }\n`,
      'run.yaml',
    ),
    set,
  );

test.each([
  [alone, 'measure: mAP', 'an answer in another language'],
  [alone, 'measure: nDCG@10, setting: cross-lingual', 'an answer in another language'],
  [alone, 'measure: rank-distance', 'two answers'],
  [across, 'measure: mAP', 'an answer in its own language'],
  [across, 'measure: mAP, setting: monolingual', 'an answer in its own language'],
  [across, 'measure: rank-distance', 'two answers'],
])('what no question of the data allows is refused: %#', (set, validation, lacking) => {
  expect(collectionOf(set, validation)).toThrow(
    `no question of the validation data has ${lacking}; use another setting`,
  );
});

test.each([
  [alone, 'measure: mAP, setting: monolingual'],
  [alone, 'measure: mAP, setting: multilingual'],
  [across, 'measure: mAP, setting: cross-lingual'],
  [across, 'measure: mAP, setting: multilingual'],
  [parallel, 'measure: mAP'],
  [parallel, 'measure: rank-distance'],
])('where one question is enough: %#', (set, validation) => {
  expect(collectionOf(set, validation)()?.langs).toEqual(['en', 'fi']);
});
