/** Which batches the validation loss is computed on, where the part held out lacks what the options name. */
import { type Pair, pairsFromParallel, TrainingSet } from '@synglot/data';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { toSamplerOptions } from './run-data.js';
import { validationBatches } from './validation-batches.js';

const pairs = (dataset: string, langs: readonly string[]): Pair[] => [
  ...pairsFromParallel(
    langs.flatMap((lang) =>
      Array.from({ length: 8 }, (_, i) => ({
        key: `${dataset} ${i}`,
        lang,
        query: `${dataset} q${i} ${lang}`,
        passage: `${dataset} p${i} ${lang}`,
        dataset,
        domain: dataset,
      })),
    ),
  ),
];
/** What is held out of data that also have a data set 'help' and the language 'fi'. */
const heldOut = TrainingSet.from([...pairs('faq', ['en', 'de']), ...pairs('wiki', ['en', 'de'])]);

const batches = (sampling: string, validation = '') => {
  const text = `model: m\ntraining: { steps: 1 }\ndata: [{ format: pairs-jsonl, path: p }]
sampling: { batch_size: 4, ${sampling} }\nvalidation: { batches: 6, ${validation} }\n`;
  const config = parseConfig(text, 'run.yaml');
  return validationBatches(heldOut, toSamplerOptions(config), config);
};
const datasetsOf = (drawn: ReturnType<typeof batches>) =>
  [...new Set(drawn.flatMap((batch) => batch.pairs.map(({ query }) => query.dataset)))].sort();

test('weights of data sets and domains of which nothing is held out do not count', () => {
  expect(datasetsOf(batches('datasets: { weights: { faq: 1, help: 1, wiki: 0 } }'))).toEqual(['faq']);
  expect(datasetsOf(batches('domains: { weights: { faq: 1, help: 1, wiki: 1 } }'))).toEqual(['faq', 'wiki']);
  const scheduled = '[[0, { faq: 0, help: 9, wiki: 1 }], [9, { faq: 0, help: 0, wiki: 1 }]]';
  expect(datasetsOf(batches(`domains: { weights: ${scheduled} }`))).toEqual(['wiki']);
});

test('language pairs of which nothing is held out are left out', () => {
  const drawn = batches('mode: cross-lingual, only_pairs: [[en, German], [en, fi]]');
  const langs = drawn.flatMap((batch) => batch.pairs.map(({ query, passage }) => [query.lang, passage.lang]));
  expect(langs.length).toBe(24);
  // They do not restrict monolingual batches.
  expect(batches('mode: monolingual, only_pairs: [[en, fi]]')).toHaveLength(6);
  expect(new Set(langs.map(String))).toEqual(new Set(['en,de']));
});

test('where nothing is left, the message says what was looked for and to hold out more', () => {
  const held = 'validation.fraction 0.02 holds out 16 questions';
  expect(() => batches('mode: cross-lingual, only_pairs: [[en, fi]]')).toThrow(
    `${held}, none of them in a language pair of sampling.only_pairs; hold out more`,
  );
  expect(() => batches('datasets: { weights: { faq: 0, help: 1, wiki: 0 } }')).toThrow(
    `${held}, none of them among what sampling.datasets.weights draws at every step; hold out more`,
  );
  expect(() =>
    batches('domains: { weights: [[0, { faq: 1, help: 1, wiki: 1 }], [9, { faq: 0, help: 1, wiki: 0 }]] }'),
  ).toThrow(`${held}, none of them among what sampling.domains.weights draws`);
});
