import { type Pair, TrainingSet, TrainingSetBuilder } from '@synglot/data';
import { evaluateRetrieval, referenceScorer } from '@synglot/eval';
import { expect, test } from 'vitest';
import { heldOutCollection, heldOutOverlap } from './held-out.js';
import { row } from './test-support.js';

const pair = (question: string, passage: string, lang: string): Pair => ({
  query: row(`${question} ${lang}?`, lang, question),
  passage: row(`${passage} ${lang}.`, lang, passage),
  negatives: [],
});

/** Two questions of one passage, one of two passages; Finnish lacks the last. */
const pairs = [
  pair('a', 'x', 'en'),
  pair('a', 'x', 'fi'),
  pair('b', 'x', 'en'),
  pair('b', 'x', 'fi'),
  pair('c', 'y', 'en'),
  pair('c', 'z', 'en'),
];
const set = TrainingSet.from(pairs);

test('every question in every language, all answers in all languages relevant', () => {
  const collection = heldOutCollection(set)!;
  expect(collection.langs).toEqual(['en', 'fi']);
  const texts = collection.queries.map(({ text, lang }, index) => [
    text,
    lang,
    [...collection.relevant[index]!].map((candidate) => collection.candidates[candidate]!.text),
  ]);
  expect(texts).toEqual([
    ['a en?', 'en', ['x en.', 'x fi.']],
    ['a fi?', 'fi', ['x en.', 'x fi.']],
    ['b en?', 'en', ['x en.', 'x fi.']],
    ['b fi?', 'fi', ['x en.', 'x fi.']],
    ['c en?', 'en', ['y en.', 'z en.']],
  ]);
  expect(collection.candidates.map(({ text }) => text)).toEqual(['x en.', 'x fi.', 'y en.', 'z en.']);
});

test('a limit keeps whole questions, and every candidate', () => {
  const two = heldOutCollection(set, { questions: 2 })!;
  expect(new Set(two.queries.map(({ id }) => id.split('_')[0])).size).toBe(2);
  expect(two.candidates).toHaveLength(4);
});

test('which questions a limit keeps does not depend on the order of the data', () => {
  const pairs = [...'abcdefgh'].map((question) => pair(question, `of ${question}`, 'en'));
  const chosen = (of: readonly Pair[]) =>
    heldOutCollection(TrainingSet.from(of), { questions: 3 })!.queries.map(({ text }) => text);
  expect(chosen(pairs.toReversed()).sort()).toEqual(chosen(pairs).sort());
});

test('two wordings of a question in one language are two queries of one question', async () => {
  const collection = heldOutCollection(
    TrainingSet.from([pair('a', 'x', 'en'), { ...pair('a', 'x', 'en'), query: row('How?', 'en', 'a') }]),
  )!;
  expect(collection.queries.map(({ id, text }) => [id, text])).toEqual([
    ['q0_en', 'a en?'],
    ['q0.1_en', 'How?'],
  ]);
  // An evaluation draws them as one, since their values are not independent.
  const queryEmbeddings = Float32Array.of(1, 1);
  const candidateEmbeddings = Float32Array.of(1);
  const { per_query: values } = await evaluateRetrieval({
    ...{ collection, queryEmbeddings, candidateEmbeddings, dimension: 1 },
    ...{ scorer: referenceScorer, perQuery: true },
  });
  expect(values!.questions).toEqual(['q0', 'q0']);
});

test('a passage that stands on the rows of several questions is one candidate, whatever its ids', () => {
  const asked = (question: string, passage: string, lang: string, id: string): Pair => ({
    query: row(question, lang, id),
    passage: row(passage, lang, id),
    negatives: [],
  });
  const { candidates, relevant } = heldOutCollection(
    TrainingSet.from([
      asked('a', 'The hen.', 'en', '1'),
      asked('b', 'the  hen.', 'en', '2'),
      asked('c', 'The egg.', 'en', '3'),
      // Two answers, of which one is the first again; and the same letters in another language.
      asked('c', 'The hen.', 'en', '4'),
      { ...asked('c', 'The hen.', 'en', '5'), query: row('c', 'en', '3') },
      asked('d', 'The hen.', 'fi', '1'),
    ]),
  )!;
  expect(candidates.map(({ text, lang }) => `${text} ${lang}`)).toEqual([
    'The hen. en',
    'The hen. fi',
    'The egg. en',
  ]);
  expect(relevant.map((found) => [...found])).toEqual([[0, 1], [0, 1], [0], [0, 2], [0]]);
});

test('a language without a question is left out, and none is no collection', () => {
  const english = TrainingSet.from([{ ...pair('a', 'x', 'en'), passage: row('x', 'fi', 'x') }]);
  expect(heldOutCollection(english)).toBeUndefined();
});

test('what is in the training data word for word is counted, by language and once for each version', () => {
  const again = (question: string, passage: string, lang: string, id: string): Pair => ({
    query: row(question, lang, `q${id}`),
    passage: row(passage, lang, `p${id}`),
    negatives: [row('z en.', 'en', `n${id}`)],
  });
  const held = new TrainingSetBuilder();
  for (const one of pairs) held.add(one);
  const training = new TrainingSetBuilder(held);
  // Case and white space do not matter; another language does, and so does what no question asks for.
  training.add(again('x fi.', 'elsewhere', 'fi', '1'));
  training.add(again('A  EN?', 'x en.', 'fi', '2'));
  training.add(again('a EN?', 'X  en.', 'en', '3'));
  training.add(again('b fi?', 'y EN.', 'en', '4'));
  training.add(again('b fi?', 'nowhere', 'fi', '5'));
  expect(heldOutOverlap(held.build(), training.build())).toEqual({
    questions: { shared: 2, all: 5 },
    passages: { shared: 2, all: 4 },
  });
});
