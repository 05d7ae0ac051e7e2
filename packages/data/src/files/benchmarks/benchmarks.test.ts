import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AdHocCollection } from '../../ad-hoc.js';
import {
  readBeirCollection,
  readBenchmark,
  readJudgments,
  readMewsliX,
  readMewsliXPredictions,
  readMiraclCollections,
  readMlqa,
  readMlqaR,
  readMmarcoCollections,
  readMrTydiCollections,
  readTatoeba,
  readTrecCollection,
} from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-benchmarks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text);
  }
}

async function corpusOf(collection: AdHocCollection): Promise<[string, string][]> {
  const documents: [string, string][] = [];
  for await (const { id, text } of collection.corpus()) documents.push([id, text]);
  return documents;
}

const grades = ({ judgments }: AdHocCollection) =>
  Object.fromEntries([...judgments].map(([query, documents]) => [query, Object.fromEntries(documents)]));

test('BEIR: header, title in front, gzip, unjudged queries left out, streamed twice', async () => {
  await files({
    'corpus.jsonl.gz':
      '{"_id":"d1","title":"Title","text":"one"}\n{"_id":"d2","title":"","text":"two"}\n{"_id":"d3","title":"","text":""}\n',
    'queries.jsonl': '{"_id":"q1","text":"first"}\n{"_id":"q2","text":"second"}\n',
    'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq2\td1\t2\nq2\td2\t0\n',
  });
  const collection = await readBeirCollection(folder);
  expect(collection.queries).toEqual([
    { id: 'q2', lang: 'en', text: 'second', where: join(folder, 'queries.jsonl:2') },
  ]);
  expect(grades(collection)).toEqual({ q2: { d1: 2, d2: 0 } });
  const documents = [
    ['d1', 'Title one'],
    ['d2', 'two'],
    ['d3', ''],
  ];
  expect(await corpusOf(collection)).toEqual(documents);
  expect(await corpusOf(collection)).toEqual(documents);
  expect(collection.profile).toBe('beir');
  await expect(readBeirCollection(folder, { split: 'dev' })).rejects.toThrow(/expected qrels\/dev\.tsv/);
});

test('judgments: a repeated document, a grade that is none, and a short line name the line', async () => {
  await files({ 'corpus.jsonl': '{"_id":"d","text":"t"}', 'queries.jsonl': '{"_id":"q","text":"t"}' });
  const withQrels = async (text: string) => {
    await files({ 'qrels/test.tsv': `query-id\tcorpus-id\tscore\n${text}` });
    return readBeirCollection(folder);
  };
  await expect(withQrels('q\td\t1\nq\td\t2\n')).rejects.toThrow(/test\.tsv:3: document 'd' is judged twice/);
  await expect(withQrels('q\td\thigh\n')).rejects.toThrow(/test\.tsv:2: expected a whole number/);
  await expect(withQrels('q\td\n')).rejects.toThrow(/test\.tsv:2: .* received 2 fields/);
  await expect(withQrels('other\td\t1\n')).rejects.toThrow(/none of the 1 queries is judged/);
});

test('an id of judgments ends at a space or tab, and at no other white space', async () => {
  const judgments = async (text: string) => {
    await files({ qrels: text });
    const found = await readJudgments(join(folder, 'qrels'));
    return [...found].map(([query, documents]) => [query, ...documents.keys()]);
  };
  const ids = ['\u3000q', 'd\u00a01', '\ufeffe\u3000'];
  const header = 'query-id corpus-id score\n';
  expect(await judgments(`${header}\u3000q d\u00a01 1 \n  \n\u3000q \ufeffe\u3000 0\r\n`)).toEqual([ids]);
  expect(await judgments(`# TREC\n \u3000q  0 d\u00a01 1\n\n\u3000q\t0\t\ufeffe\u3000\t0 \n`)).toEqual([ids]);
  expect(await judgments('a b\t0\tc d\t1\n')).toEqual([['a b', 'c d']]);
});

test('TREC topics in SGML with a title on its own line, qrels with spaces and comments', async () => {
  await files({
    'topics.txt':
      '<top>\n<num> Number: 301\n<title> Organized Crime\n<desc> Description:\nno title\n</top>\n<top>\n<num>302</num>\n<title>\nPolio\n</title>\n</top>\n',
    'qrels.txt': '# comment\n301 0 FT1 1\n302 0 FT2 0\n',
    'docs-0.jsonl': '{"id":"FT1","contents":"crime"}\n',
    'docs-1.jsonl.gz': '{"id":"FT2","contents":"polio"}\n',
  });
  const collection = await readTrecCollection(folder);
  expect(collection.queries.map(({ id, text }) => [id, text])).toEqual([
    ['301', 'Organized Crime'],
    ['302', 'Polio'],
  ]);
  expect(grades(collection)).toEqual({ '301': { FT1: 1 }, '302': { FT2: 0 } });
  expect(await corpusOf(collection)).toEqual([
    ['FT1', 'crime'],
    ['FT2', 'polio'],
  ]);
});

test('TREC topics whose titles go on, and topics of one line', async () => {
  await files({
    'topics.txt':
      '<top>\n<num> Number: 1\n<title> Topic:  Right to bear\n  arms < 1900,\n\nin law\n\n<desc> Description:\nno title\n</top>\n' +
      '<top><num>2</num><title>Polio</title><desc>no title</desc></top>\n<top>\n<num> 3\n<title> </title>\n</top>\n' +
      '<top>\n<num> 4\n<title>\nTopic: Two\nlines\n</top>\n<num>5<title>Unclosed',
    'qrels.txt': '1 0 d 1\n2 0 d 1\n4 0 d 1\n5 0 d 1\n',
    'docs.tsv': 'd\ttext\n',
  });
  const { queries } = await readTrecCollection(folder);
  expect(queries.map(({ id, text }) => [id, text])).toEqual([
    ['1', 'Right to bear arms < 1900, in law'],
    ['2', 'Polio'],
    ['4', 'Two lines'],
    ['5', 'Unclosed'],
  ]);
});

test("MIRACL in the hub's layout: corpora of several files in the order of their numbers", async () => {
  await files({
    'miracl-v1.0-sw/topics/topics.miracl-v1.0-sw-dev.tsv': '1\tSwali\ttab inside\n',
    'miracl-v1.0-sw/qrels/qrels.miracl-v1.0-sw-dev.tsv': '1\tQ0\t9#0\t1\n1\tQ0\t9#1\t0\n',
    'miracl-corpus-v1.0-sw/docs-10.jsonl.gz': '{"docid":"10#0","title":"C","text":"third"}\n',
    'miracl-corpus-v1.0-sw/docs-2.jsonl.gz': '{"docid":"9#1","title":"B","text":"second"}\n',
    'miracl-corpus-v1.0-sw/docs-0.jsonl.gz': '{"docid":"9#0","title":"A","text":"first"}\n',
    'topics.miracl-v1.0-yo-dev.tsv.gz': '1\tIbeere\n',
    'qrels.miracl-v1.0-yo-dev.tsv.gz': '1 Q0 1#0 1\n',
  });
  const [sw] = await readMiraclCollections(folder, { langs: ['sw'] });
  expect(sw!.queries).toMatchObject([{ id: '1', lang: 'sw', text: 'Swali\ttab inside' }]);
  expect((await corpusOf(sw!)).map(([id]) => id)).toEqual(['9#0', '9#1', '10#0']);
  await expect(readMiraclCollections(folder)).rejects.toThrow(/no corpus for language 'yo'/);
  await expect(readMiraclCollections(folder, { langs: ['ar'] })).rejects.toThrow(/unknown language 'ar'/);
  await expect(readMiraclCollections(folder, { split: 'test' })).rejects.toThrow(/split 'test'/);
});

test('Mr. TyDi: full names of languages, contents without title', async () => {
  await files({
    'mrtydi-v1.1-swahili/topic.test.tsv': '7\tSwali\n',
    'mrtydi-v1.1-swahili/qrels.test.txt': '7 Q0 3#1 1\n',
    'mrtydi-v1.1-swahili/collection/docs.jsonl.gz': '{"id":"3#1","contents":"Jibu"}\n',
  });
  const [collection] = await readMrTydiCollections(folder);
  expect(collection!.name).toBe('mr-tydi-sw-test');
  expect(collection!.measures[0]).toBe('RR@100');
  expect(await corpusOf(collection!)).toEqual([['3#1', 'Jibu']]);
});

test("mMARCO: shared ids, own passages or another language's", async () => {
  await files({
    'collections/english_collection.tsv': '0\tA passage\n',
    'collections/german_collection.tsv': '0\tEin Text\n',
    'queries/dev/english_queries.dev.small.tsv': '5\ta question\n6\tunjudged\n',
    'queries/dev/german_queries.dev.small.tsv': '5\teine Frage\n',
    'qrels.dev.small.tsv': '5\t0\t0\t1\n',
  });
  const own = await readMmarcoCollections(folder);
  expect(own.map(({ name, profile }) => [name, profile])).toEqual([
    ['mmarco-en-dev.small', 'msmarco'],
    ['mmarco-de-dev.small', 'msmarco'],
  ]);
  const [cross] = await readMmarcoCollections(folder, { langs: ['de'], corpusLang: 'en' });
  expect(cross!.name).toBe('mmarco-de-en-dev.small');
  expect(cross!.queries).toMatchObject([{ id: '5', lang: 'de', text: 'eine Frage' }]);
  expect(await corpusOf(cross!)).toEqual([['0', 'A passage']]);
});

test('Mewsli-X: the sentence of the mention by code points, marks, window, predictions', async () => {
  const text = 'Zero 😀. The Richter scale rose. Then nothing.';
  const points = Array.from(text);
  const at = points.join('').indexOf('Richter') - 1; // one emoji before it is two units, one code point
  await files({
    'candidate_set_entities.jsonl':
      '{"entity_id":"Q1","title":"Richter scale","description":"Skala Richter","description_language":"id"}\n',
    'wikinews_mentions-test.jsonl': `${JSON.stringify({
      context: {
        language: 'es',
        text,
        sentence_spans: [
          [0, 7],
          [8, 31],
          [32, 45],
        ],
      },
      mentions: [
        { example_id: 'e1', entity_id: 'Q1', mention_span: { text: 'Richter', start: at, end: at + 7 } },
      ],
    })}\n`,
    'predictions.jsonl': '{"e1":["Q1","Q2"]}\n',
    'wikinews_mentions-dev.jsonl': '{"context":{"language":"es","text":""},"mentions":[]}\n',
  });
  const plain = await readMewsliX(folder);
  expect(plain.queries).toMatchObject([{ id: 'e1', lang: 'es', text: 'The Richter scale rose.' }]);
  expect(grades(plain)).toEqual({ e1: { Q1: 1 } });
  expect(await corpusOf(plain)).toEqual([['Q1', 'Richter scale Skala Richter']]);
  const marked = await readMewsliX(folder, { window: 1, marks: ['[', ']'] });
  expect(marked.queries[0]!.text).toBe('Zero 😀. The [Richter] scale rose. Then nothing.');
  expect([...(await readMewsliXPredictions(join(folder, 'predictions.jsonl')))]).toEqual([
    ['e1', ['Q1', 'Q2']],
  ]);
  await files({ 'again.jsonl': '{"e1":["Q1","Q2"]}\n{"e2":["Q2","Q1","Q2"]}\n' });
  await expect(readMewsliXPredictions(join(folder, 'again.jsonl'))).rejects.toThrow(
    /again\.jsonl:2: entity 'Q2' stands twice in the prediction of 'e2'/,
  );
  await expect(readMewsliX(folder, { split: 'dev' })).rejects.toThrow(/'context.text' is empty/);
});

test('Tatoeba: both sides by line; sides of different length are refused', async () => {
  await files({
    'tatoeba.deu-eng.deu': 'Hallo\nWelt\n',
    'tatoeba.deu-eng.eng': 'Hello\nWorld\n',
    'tatoeba.fra-eng.fra': 'Bonjour\n',
    'tatoeba.fra-eng.eng': 'Hello\nWorld\n',
  });
  const [german] = await readTatoeba(folder, { langs: ['deu'] });
  expect(german!.sentences).toEqual([
    ['Hallo', 'Welt'],
    ['Hello', 'World'],
  ]);
  await expect(readTatoeba(folder, { langs: ['fra'] })).rejects.toThrow(/1 lines in \.fra but 2 in \.eng/);
});

const mlqa = (lang: string, context: string, question: string, start: number) =>
  JSON.stringify({
    data: [
      {
        paragraphs: [
          { context, qas: [{ id: 'a', question, answers: [{ text: 'x', answer_start: start }] }] },
        ],
      },
    ],
    lang,
  });

test('MLQA: paragraphs; and its sentences, rebuilt, with the answer by code point', async () => {
  const context = '😀 eins. Zwei hier.';
  await files({
    'dev-context-de-question-de.json': mlqa('de', context, 'Was?', Array.from('😀 eins. Zw').length),
    'dev-context-en-question-en.json': mlqa('en', 'One. Two here. Three.', 'What?', 5),
    'dev-context-en-question-de.json': mlqa('en', 'One.', 'Was?', 0),
  });
  const paragraphs = await readMlqa(folder, { split: 'dev' });
  expect(paragraphs.candidates.map(({ id }) => id)).toEqual(['de_1', 'en_1']);
  expect(paragraphs.relevant.map((list) => [...list])).toEqual([
    [0, 1],
    [0, 1],
  ]);
  const sentences = await readMlqaR(folder);
  expect(sentences.name).toBe('mlqa-r-rebuilt');
  const texts = sentences.candidates.map(({ text }) => text);
  expect(texts).toEqual(['😀 eins.', 'Zwei hier.', 'One.', 'Two here.', 'Three.']);
  expect([...sentences.relevant[0]!].map((i) => texts[i])).toEqual(['Zwei hier.', 'Two here.']);
});

test('LAReQA refuses a pool of another size; an unknown benchmark lists the known', async () => {
  const paragraph = {
    context: 'One. Two.',
    sentence_breaks: [
      [0, 4],
      [5, 9],
    ],
    qas: [{ id: 'a', question: 'What?', answers: [{ text: 'Two', answer_start: 5 }] }],
  };
  await files({ 'en.json': JSON.stringify({ data: [{ paragraphs: [paragraph] }] }) });
  await expect(readBenchmark('lareqa', folder)).rejects.toThrow(
    /2 candidates and 1 questions, expected LAReQA's 13014 and 13090/,
  );
  const mlqaR = await readBenchmark('mlqa-r', folder);
  expect(mlqaR.kind === 'parallel' && mlqaR.collection.name).toBe('mlqa-r');
  expect(() => readBenchmark('mirakl', folder)).toThrow(/did you mean 'miracl'/);
  expect(() => readBenchmark('lareqa', folder, { langs: ['en'] })).toThrow(
    'lareqa: `langs` means nothing to it; leave it out',
  );
});
