import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pair } from '../rows.js';
import { TrainingSet } from '../training-set.js';
import { openTrainingData, readers, type TrainingSource } from './registry.js';

let folder = '';
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-data-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Writes a file into the test folder (gzipped where the name says so) and returns its path. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, String(count++), name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, name.endsWith('.gz') ? gzipSync(content) : content);
  return path;
}
/** Writes files into one new folder and returns it. */
async function files(contents: Record<string, string>): Promise<string> {
  const path = join(folder, String(count++));
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), name.endsWith('.gz') ? gzipSync(content) : content);
  }
  return path;
}
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const read = async (source: TrainingSource) => {
  const pairs: Pair[] = [];
  for await (const pair of openTrainingData(source)) pairs.push(pair);
  return pairs;
};
const texts = (pairs: readonly Pair[]) =>
  pairs.map(({ query, passage, negatives }) => [
    query.text,
    passage.text,
    ...negatives.map((row) => row.text),
  ]);
const refusal = (source: TrainingSource) =>
  read(source).then(
    () => 'not refused',
    (error: Error & { code?: string }) => `${error.code}: ${error.message.replaceAll(folder, '')}`,
  );

describe('pairs-jsonl', () => {
  test('reads every field', async () => {
    const path = await file(
      'faq.jsonl',
      lines({
        id: '7',
        query: 'Wer?',
        passage: 'Ich.',
        query_lang: 'de',
        passage_lang: 'German',
        parallel_id: 'k7',
        dataset: 'x',
        domain: 'law',
        negatives: ['Du.', { id: 'n', text: 'He.', lang: 'en_US', parallel_id: 'k9' }],
      }),
    );
    const about = { dataset: 'x', domain: 'law' };
    expect(await read({ format: 'pairs-jsonl', path })).toEqual([
      {
        query: { id: '7', text: 'Wer?', lang: 'de', parallelId: 'k7', ...about },
        passage: { id: '7', text: 'Ich.', lang: 'de', parallelId: 'k7', ...about },
        negatives: [
          {
            id: '7/negative0',
            text: 'Du.',
            lang: 'de',
            parallelId: expect.stringMatching(/^text:/),
            ...about,
          },
          { id: 'n', text: 'He.', lang: 'en-us', parallelId: 'k9', ...about },
        ],
      },
    ]);
  });

  test('gzipped, with blank lines, a byte order mark, CRLF, U+2028 in a text and no end of line at the end', async () => {
    const path = await file(
      'x.jsonl.gz',
      '\ufeff{"query":"a\u2028b","passage":"p","lang":"en"}\r\n\r\n{"query":"c","passage":"d","lang":"en"}',
    );
    const pairs = await read({ format: 'pairs-jsonl', path });
    expect(texts(pairs)).toEqual([
      ['a\u2028b', 'p'],
      ['c', 'd'],
    ]);
    expect(pairs[1]!.query).toMatchObject({ id: 'x:3', dataset: 'x', domain: 'x' });
  });

  test('a question on two rows is one question with two answers; equal passages are one', async () => {
    const path = await file(
      'x.jsonl',
      lines({ query: 'q', passage: 'a' }, { query: 'Q ', passage: 'b' }, { query: 'r', passage: 'a' }),
    );
    const set = await TrainingSet.read(openTrainingData({ format: 'pairs-jsonl', path, lang: 'en' }));
    expect([set.items.length, set.queries.length, set.passages.length]).toEqual([3, 2, 2]);
  });

  test('langs and limit choose', async () => {
    const path = await file(
      'x.jsonl',
      lines(
        ...['en', 'fi', 'de'].flatMap((lang) =>
          [1, 2, 3].map((i) => ({ query: `${lang}${i}`, passage: `p${i}`, lang })),
        ),
        { query: 'mixed', passage: 'x', query_lang: 'en', passage_lang: 'fi' },
      ),
    );
    const pairs = await read({ format: 'pairs-jsonl', path, langs: ['FI', 'en'], limit: 2 });
    expect(pairs.map((pair) => pair.query.text)).toEqual(['en1', 'en2', 'fi1', 'fi2', 'mixed']);
  });

  test.each<[string, string, string]>([
    ['wrong JSON', '{"query":"a","passage":"b","lang":"en"}\n{"query":', 'INPUT_JSON: /x.jsonl:2: not JSON'],
    ['no object', '["a"]', 'INPUT_JSON: /x.jsonl:1: expected a JSON object but received a list'],
    [
      'a missing column',
      '\n{"qurey":"a","passage":"b","lang":"en"}',
      "INPUT_COLUMN: /x.jsonl:2: no 'query' (did you mean 'qurey'?); there are 'qurey', 'passage', 'lang'",
    ],
    [
      'an empty passage',
      '{"query":"a","passage":"  ","lang":"en"}',
      "INPUT_EMPTY: /x.jsonl:1: 'passage' is empty",
    ],
    [
      'a number for a text',
      '{"query":"a","passage":5,"lang":"en"}',
      "INPUT_COLUMN: /x.jsonl:1: expected a text in 'passage' but received number 5",
    ],
    [
      'an empty negative',
      '{"query":"a","passage":"b","negatives":["c",""],"lang":"en"}',
      "INPUT_EMPTY: /x.jsonl:1: 'negatives[1]' is empty",
    ],
    [
      'no language',
      '{"query":"a","passage":"b"}',
      'INPUT_LANGUAGE: /x.jsonl:1: the language of the question is unknown',
    ],
    [
      'a bad language',
      '{"query":"a","passage":"b","lang":"Finish"}',
      "INPUT_LANGUAGE: /x.jsonl:1: Expected a language code such as 'en' or 'pt-br', or an English name, but received 'Finish' (did you mean 'finnish'",
    ],
    ['no line', '\n\n', 'INPUT_EMPTY: /x.jsonl: there is no pair in it'],
  ])('%s', async (_, content, message) => {
    const path = await file('x.jsonl', content);
    const said = (await refusal({ format: 'pairs-jsonl', path })).replace(/\/\d+\//, '/');
    expect(said).toContain(message);
    expect(said).not.toContain('\n');
  });

  test('a missing file, a folder, a cut gzip file and bytes that are not UTF-8', async () => {
    expect(await refusal({ format: 'pairs-jsonl', path: join(folder, 'none.jsonl') })).toBe(
      'INPUT_FILE: /none.jsonl: there is no such file or folder; check the path',
    );
    const asFolder = join(folder, 'folder.jsonl');
    await mkdir(asFolder);
    expect(await refusal({ format: 'pairs-jsonl', path: asFolder })).toContain(
      'expected a file but this is a folder',
    );
    const whole = gzipSync(
      lines(
        ...Array.from({ length: 500 }, (_, i) => ({ query: `${i}${Math.sin(i)}`, passage: 'p', lang: 'en' })),
      ),
    );
    const cut = join(folder, 'cut.jsonl.gz');
    await writeFile(cut, whole.subarray(0, whole.length / 2));
    expect(await refusal({ format: 'pairs-jsonl', path: cut })).toContain(
      'INPUT_FILE: /cut.jsonl.gz: damaged or cut gzip file',
    );
    const latin = await file(
      'latin.jsonl',
      Buffer.from('{"query":"a","passage":"b","lang":"en"}\n{"query":"\xe4"}\n', 'latin1'),
    );
    expect(await refusal({ format: 'pairs-jsonl', path: latin })).toContain('latin.jsonl:2: not UTF-8');
  });

  test('an unknown language, a language without pairs, a bad limit', async () => {
    const path = await file(
      'x.jsonl',
      lines({ query: 'a', passage: 'b', query_lang: 'en', passage_lang: 'pt-br' }),
    );
    const source = { format: 'pairs-jsonl', path } as const;
    expect(await refusal({ ...source, langs: ['pt'] })).toContain(
      "unknown language 'pt' (did you mean 'pt-br'?); the data have en, pt-br",
    );
    expect(await refusal({ ...source, langs: ['en'] })).toContain('no pair has both sides in en');
    expect(await refusal({ ...source, limit: 0 })).toContain(
      'INPUT_OPTION: `limit`: expected a whole number from 1',
    );
  });
});

describe('pairs-tsv and parquet', () => {
  test('TSV by position, by header, and by named columns', async () => {
    const plain = await file('x.tsv', 'q1\tp1\nq2\tp "2"\n');
    expect(texts(await read({ format: 'pairs-tsv', path: plain, lang: 'en' }))).toEqual([
      ['q1', 'p1'],
      ['q2', 'p "2"'],
    ]);
    const headed = await file('x.tsv.gz', 'lang\tpassage\tquery\nfi\tp1\tq1\n');
    const [pair] = await read({ format: 'pairs-tsv', path: headed, header: true });
    expect([pair!.query.text, pair!.passage.text, pair!.query.lang]).toEqual(['q1', 'p1', 'fi']);
    const named = await file('x.tsv', '1\tneg a\tpos\tquestion\tneg b\n');
    const columns = { query: 3, passage: 2, negatives: [1, 4], id: 0 };
    expect(texts(await read({ format: 'pairs-tsv', path: named, lang: 'en', columns }))).toEqual([
      ['question', 'pos', 'neg a', 'neg b'],
    ]);
  });

  test('TSV lines with another number of fields, and missing or doubled columns', async () => {
    const ragged = await file('x.tsv', 'q1\tp1\nq2\n');
    expect(await refusal({ format: 'pairs-tsv', path: ragged, lang: 'en' })).toContain(
      'x.tsv:2: expected 2 fields separated by tabs, as in the first line, but received 1',
    );
    const headed = await file('x.tsv', 'question\tpassage\na\tb\n');
    expect(await refusal({ format: 'pairs-tsv', path: headed, lang: 'en', header: true })).toContain(
      "x.tsv:2: no 'query'; there are 'question', 'passage'",
    );
    const twice = await file('x.tsv', 'query\tquery\na\tb\n');
    expect(await refusal({ format: 'pairs-tsv', path: twice, lang: 'en', header: true })).toContain(
      "names 'query' twice",
    );
  });

  test('Parquet with lists, many rows and the row in messages', async () => {
    const rows = 5000;
    const column = (name: string) => Array.from({ length: rows }, (_, i) => `${name} ${i}`);
    const write = (passages: string[]) =>
      parquetWriteBuffer({
        columnData: [
          { name: 'query', data: column('q'), type: 'STRING' },
          { name: 'passage', data: passages, type: 'STRING' },
          { name: 'negatives', data: column('n').map((text) => [text]), type: 'JSON' },
        ],
      });
    const path = await file('x.parquet', new Uint8Array(write(column('p'))));
    const pairs = await read({ format: 'parquet', path, lang: 'en' });
    expect(pairs).toHaveLength(rows);
    expect(texts([pairs[4321]!])).toEqual([['q 4321', 'p 4321', 'n 4321']]);
    const bad = await file('x.parquet', new Uint8Array(write(column('p').with(4500, ''))));
    expect(await refusal({ format: 'parquet', path: bad, lang: 'en' })).toContain(
      "x.parquet, row 4501: 'passage' is empty",
    );
    const none = await file('x.parquet', 'no parquet');
    expect(await refusal({ format: 'parquet', path: none, lang: 'en' })).toContain(
      'not a sound Parquet file',
    );
    expect(await refusal({ format: 'parquet', path: join(folder, 'none.parquet') })).toContain(
      'there is no such file',
    );
  });
});

describe("other tools' files", () => {
  test('sentence-transformers: the order of the columns counts', async () => {
    const path = await file(
      'x.jsonl',
      lines({ sentence2: 'a', lang: 'en', sentence1: 'p', z: 'n1', b: 'n2' }),
    );
    expect(texts(await read({ format: 'sentence-transformers', path }))).toEqual([['a', 'p', 'n1', 'n2']]);
    const columns = ['sentence1', 'sentence2'];
    expect(texts(await read({ format: 'sentence-transformers', path, columns }))).toEqual([['p', 'a']]);
    const parquet = await file(
      'x.parquet',
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'anchor', data: ['a'] },
            { name: 'positive', data: ['p'] },
          ],
        }),
      ),
    );
    expect(texts(await read({ format: 'sentence-transformers', path: parquet, lang: 'fi' }))).toEqual([
      ['a', 'p'],
    ]);
  });

  test('sentence-transformers: scored data, one column, and a row with other columns', async () => {
    const source = async (content: string) =>
      ({ format: 'sentence-transformers', path: await file('x.jsonl', content), lang: 'en' }) as const;
    expect(await refusal(await source(lines({ a: 'x', b: 'y', score: 1 })))).toContain(
      "column 'score' makes this scored data",
    );
    expect(await refusal(await source(lines({ a: 'x' })))).toContain(
      'expected at least two text columns (anchor, positive) but received 1',
    );
    expect(await refusal(await source(lines({ a: 'x', b: 'y' }, { a: 'x', c: 'y' })))).toContain(
      "x.jsonl:2: no 'b'",
    );
  });

  test('FlagEmbedding: each positive makes a pair', async () => {
    const path = await file('x.jsonl', lines({ query: 'q', pos: ['p1', 'p2'], neg: ['n1'] }));
    expect(texts(await read({ format: 'flag-embedding', path, lang: 'en' }))).toEqual([
      ['q', 'p1', 'n1'],
      ['q', 'p2', 'n1'],
    ]);
    const broken = async (values: object) =>
      refusal({ format: 'flag-embedding', path: await file('x.jsonl', lines(values)), lang: 'en' });
    expect(await broken({ query: 'q', pos: [] })).toContain("x.jsonl:1: 'pos' is an empty list");
    expect(await broken({ query: 'q', neg: [] })).toContain("x.jsonl:1: no 'pos'");
    expect(await broken({ query: 'q', pos: 'p' })).toContain(
      "expected a list in 'pos' but received the text",
    );
  });

  test('Tevatron: both styles', async () => {
    const older = await file(
      'old.jsonl',
      lines({
        query_id: '1',
        query: 'q',
        positive_passages: [{ docid: 'd1', title: 'T', text: 'p' }],
        negative_passages: [{ docid: 'd2', text: 'n' }],
      }),
    );
    const [pair] = await read({ format: 'tevatron', path: older, lang: 'en' });
    expect(texts([pair!])).toEqual([['q', 'T p', 'n']]);
    expect([pair!.query.parallelId, pair!.passage.parallelId, pair!.negatives[0]!.parallelId]).toEqual([
      '1',
      'd1',
      'd2',
    ]);

    const ids = await file(
      'new.jsonl',
      lines({ query_id: '1', query_text: 'q', positive_document_ids: ['d1'], negative_document_ids: ['d2'] }),
    );
    const corpus = await file(
      'corpus.jsonl',
      lines({ docid: 'd1', title: 'T', text: 'p' }, { docid: 'd2', text: 'n' }),
    );
    expect(texts(await read({ format: 'tevatron', path: ids, corpus, lang: 'en' }))).toEqual([
      ['q', 'T p', 'n'],
    ]);
    expect(await refusal({ format: 'tevatron', path: ids, lang: 'en' })).toContain(
      'set `corpus` to the file',
    );
    const short = await file('corpus.jsonl', lines({ docid: 'd1', text: 'p' }));
    expect(await refusal({ format: 'tevatron', path: ids, corpus: short, lang: 'en' })).toContain(
      "'negative_document_ids[0]' is 'd2', which",
    );
  });
});

describe('squad', () => {
  const squad = (context: string, ...questions: [string, string, boolean?][]) =>
    JSON.stringify({
      data: [
        {
          title: 't',
          paragraphs: [
            {
              context,
              qas: questions.map(([id, question, is_impossible]) => ({ id, question, is_impossible })),
            },
          ],
        },
      ],
    });

  test('files of several languages that share question ids are parallel, in whatever order they hold them', async () => {
    const path = await files({
      'xquad.en.json': squad('Text.', ['1', 'One?'], ['2', 'Two?'], ['3', 'None?', true]),
      'xquad.fi.json': squad('Teksti.', ['2', 'Kaksi?'], ['1', 'Yksi?']),
    });
    const set = await TrainingSet.read(openTrainingData({ format: 'squad', path }));
    expect(set.items).toHaveLength(2);
    expect(set.passages.map((text) => text.map((index) => set.rows[index]!.text))).toEqual([
      ['Text.', 'Teksti.'],
    ]);
    expect(set.queries.map((text) => text.length)).toEqual([2, 2]);
    expect(await read({ format: 'squad', path, langs: ['fi'] })).toHaveLength(2);
  });

  test('MLQA names tell both languages', async () => {
    const path = await files({ 'dev-context-de-question-en.json': squad('Text.', ['1', 'What?']) });
    const [pair] = await read({ format: 'squad', path });
    expect([pair!.query.lang, pair!.passage.lang]).toEqual(['en', 'de']);
  });

  test('a language that nobody tells, JSON that is none, a part that is missing', async () => {
    const path = await file('train-v1.1.json', squad('Text.', ['1', 'What?']));
    expect(await refusal({ format: 'squad', path })).toContain('the name tells no language');
    expect(await read({ format: 'squad', path, lang: 'en' })).toHaveLength(1);
    expect(await refusal({ format: 'squad', path: await file('en.json', '{"data":\n[{"a":\n,]}') })).toMatch(
      /en\.json:3: not JSON/,
    );
    expect(await refusal({ format: 'squad', path: await file('en.json', '{}') })).toContain(
      "no 'data' at the top",
    );
    const noContext = '{"data":[{"paragraphs":[{"qas":[{"id":"1","question":"q"}]}]}]}';
    expect(await refusal({ format: 'squad', path: await file('en.json', noContext) })).toContain(
      "en.json, data[0].paragraphs[0]: no 'context'",
    );
    expect(await refusal({ format: 'squad', path: await files({ 'a.txt': '' }) })).toContain('no .json file');
  });
});

describe('folders', () => {
  test('debian-faq leaves out what is still English', async () => {
    const path = await files({
      'en.jsonl': lines({ id: 'a', q: 'What?', a: 'This.' }, { id: 'b', q: 'Who?', a: 'Me.' }),
      'de.jsonl.gz': lines({ id: 'a', q: 'Was?', a: 'Dies.' }, { id: 'b', q: 'Wer?', a: 'Me.' }),
    });
    const queries = async (keepUntranslated: boolean) =>
      (await read({ format: 'debian-faq', path, langs: ['de'], keepUntranslated })).map(
        (pair) => pair.query.text,
      );
    expect(await queries(false)).toEqual(['Was?']);
    expect(await queries(true)).toEqual(['Was?', 'Wer?']);
    expect(await refusal({ format: 'debian-faq', path, langs: ['dr'] })).toContain(
      "unknown language 'dr' (did you mean 'de'?)",
    );
    expect(await refusal({ format: 'debian-faq', path: await files({ readme: '' }) })).toContain(
      'no file called like de.jsonl.gz',
    );
  });

  test('miracl and beir: judged passages, and judgments of what is not there', async () => {
    const parts = (extra = '') => ({
      'corpus.jsonl': lines(
        { _id: 'd1', title: 'T', text: 'p' },
        { _id: 'd2', text: 'n' },
        { _id: 'd3', text: 'unused' },
      ),
      'queries.jsonl': lines({ _id: '1', text: 'q' }),
      'qrels/train.tsv': `query-id\tcorpus-id\tscore\n1\td1\t1\n1\td2\t0\n${extra}`,
    });
    const path = await files(parts());
    expect(texts(await read({ format: 'beir', path }))).toEqual([['q', 'T p', 'n']]);
    expect(await refusal({ format: 'beir', path, split: 'dev' })).toContain('expected qrels/dev.tsv or');
    expect(await refusal({ format: 'beir', path: await files(parts('1\tdX\t1\n')) })).toContain(
      "train.tsv:4: document 'dX' is not in",
    );
    expect(await refusal({ format: 'beir', path: await files(parts('9\td1\t1\n')) })).toContain(
      "train.tsv:4: query '9' is not in",
    );
    expect(await refusal({ format: 'beir', path: await files(parts('1\td1\tyes\n')) })).toContain(
      "expected a whole number in 'score'",
    );

    const miracl = await files({
      'fi/corpus.jsonl': parts()['corpus.jsonl'],
      'fi/queries.train.tsv': '1\tkysymys\tjossa tabulaattori\n',
      'fi/qrels.train.tsv': parts()['qrels/train.tsv'],
      'yo/corpus.jsonl': '',
    });
    expect(texts(await read({ format: 'miracl', path: miracl }))).toEqual([
      ['kysymys\tjossa tabulaattori', 'T p', 'n'],
    ]);
    expect(await refusal({ format: 'miracl', path: miracl, langs: ['yo'] })).toContain(
      "unknown language 'yo'",
    );
    expect(await refusal({ format: 'miracl', path: miracl, split: 'test' })).toContain('qrels.test.tsv');
  });

  test('squad2-fi-en refuses the split that overlaps XQuAD', async () => {
    const line = {
      doc: 0,
      para: 0,
      split: 'dev',
      context: { en: 'c', fi: 'k' },
      questions: [{ i: 0, en: 'q', fi: 'k' }],
    };
    const path = await files({ 'squad2_fi_en.train.jsonl': lines({ ...line, split: 'train' }, line) });
    expect(await refusal({ format: 'squad2-fi-en', path })).toContain(
      "squad2_fi_en.train.jsonl:2: split 'dev'",
    );
    expect(texts(await read({ format: 'squad2-fi-en', path, limit: 1 }))).toEqual([
      ['q', 'c'],
      ['k', 'k'],
    ]);
  });
});

test('an unknown format and a name that does not fit its format are refused at once', () => {
  const open = (format: string, path: string) => () => openTrainingData({ format, path } as TrainingSource);
  expect(open('squad2', 'x')).toThrow(`x: unknown data format 'squad2' (did you mean 'squad' or`);
  expect(open('toString', 'x')).toThrow(expect.objectContaining({ code: 'INPUT_FORMAT' }));
  expect(open('parquet', 'x.jsonl')).toThrow("x.jsonl: format 'parquet' expects a name ending in .parquet");
  expect(Object.keys(readers)).toHaveLength(15);
});
