/** Pairs in our own field names: JSONL, TSV and Parquet. */
import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import { openTrainingData } from './registry.js';
import { lines, read, testFiles, texts } from './test-support.js';

const { file, inFolder, refusal } = testFiles();

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
    [
      'an id that JSON cannot hold as a number',
      '{"query":"a","passage":"b","lang":"en","parallel_id":1234567890123456789}',
      "INPUT_COLUMN: /x.jsonl:1: 'parallel_id' is a number of more digits than JSON keeps (about 1234567890123456800); put it in quotes",
    ],
    ['no object', '7', 'INPUT_JSON: /x.jsonl:1: expected a JSON object but received number 7'],
    [
      'one JSON list',
      '["a"]',
      "INPUT_JSON: /x.jsonl:1: expected a JSON object on each line but received a list; write one object per line (jq -c '.[]' does it)",
    ],
    [
      'one JSON list over many lines',
      '[\n{"query":"a"}\n]',
      "INPUT_JSON: /x.jsonl:1: this is one JSON list, but one JSON object on each line is expected (jq -c '.[]' writes it)",
    ],
    [
      'a null',
      '{"query":"a","passage":null,"lang":"en"}',
      "INPUT_EMPTY: /x.jsonl:1: 'passage' is null; remove the row or fill it in",
    ],
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
      'a language by another name',
      '{"query":"a","passage":"b","language":"en"}',
      "set `lang` for the file; or is it in 'language'? say so with `columns`: { lang: language }",
    ],
    [
      'other names, language and all',
      '{"question":"a","passage":"b","language":"en"}',
      "INPUT_COLUMN: /x.jsonl:1: no 'query'; there are 'question', 'passage', 'language'; say which it is with `columns`: { query: … }",
    ],
    [
      'the columns of another format',
      '{"anchor":"a","positive":"b"}',
      "say which it is with `columns`: { query: … }, or is the format 'sentence-transformers'?",
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
    expect(await refusal({ format: 'pairs-jsonl', path: inFolder('none.jsonl') })).toBe(
      'INPUT_FILE: /none.jsonl: there is no such file or folder; check the path',
    );
    const asFolder = inFolder('folder.jsonl');
    await mkdir(asFolder);
    expect(await refusal({ format: 'pairs-jsonl', path: asFolder })).toContain(
      'a folder, but this format reads files',
    );
    const whole = gzipSync(
      lines(
        ...Array.from({ length: 500 }, (_, i) => ({ query: `${i}${Math.sin(i)}`, passage: 'p', lang: 'en' })),
      ),
    );
    const cut = inFolder('cut.jsonl.gz');
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
    const triplet = await file('x.csv', 'query,passage,negative\nq,p,n\n');
    expect(texts(await read({ format: 'pairs-csv', path: triplet, lang: 'en' }))).toEqual([['q', 'p', 'n']]);
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

  test('TSV with a header that nothing is said of', async () => {
    const path = await file('x.tsv', 'query\tpassage\tlang\na\tb\ten\n');
    expect(await refusal({ format: 'pairs-tsv', path, lang: 'en' })).toContain(
      'x.tsv:1: the first line looks like names of columns (query, passage, lang); set `header` to true for the file',
    );
    expect(texts(await read({ format: 'pairs-tsv', path, lang: 'en', header: false }))).toEqual([
      ['query', 'passage'],
      ['a', 'b'],
    ]);
  });

  test('CSV: quotes, commas, line ends and blank lines in texts', async () => {
    const text =
      '\ufeffquery,passage,lang,negatives\r\n"Who, me?","say ""hi""\r\n\r\ntwice",en,\r\n\r\nplain,"p, 2",de,"""q"""\r\n';
    const path = await file('x.csv.gz', text);
    const pairs = await read({ format: 'pairs-csv', path });
    expect(texts(pairs)).toEqual([
      ['Who, me?', 'say "hi"\n\ntwice'],
      ['plain', 'p, 2', '"q"'],
    ]);
    // A row is called by its first line.
    expect(pairs.map(({ query }) => [query.lang, query.id])).toEqual([
      ['en', 'x:2'],
      ['de', 'x:6'],
    ]);
    const plain = await file('x.csv', 'a,b\nc,"d"');
    expect(texts(await read({ format: 'pairs-csv', path: plain, header: false, lang: 'en' }))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    const capital = await file('X.CSV', 'query,passage\na,"b"\n');
    expect(texts(await read({ format: 'pairs-csv', path: capital, lang: 'en' }))).toEqual([['a', 'b']]);
    const other = await file('x.csv', 'anchor,positive,negative\na,b,c\n');
    expect(texts(await read({ format: 'sentence-transformers', path: other, lang: 'en' }))).toEqual([
      ['a', 'b', 'c'],
    ]);
  });

  test.each([
    [
      'a quote that is not closed',
      'query,passage\na,b\n"c,d\ne,f\n',
      ':3: a quote is opened here and closed nowhere',
    ],
    [
      'text after a quote',
      'query,passage\n"a"x,b\n',
      ':2: expected a comma after the closing quote of field 1 but received "x,b"',
    ],
    [
      'another number of fields',
      'query,passage\na,b,c\n',
      ':2: expected 2 fields separated by commas, as in the first line, but received 3',
    ],
    ['semicolons', 'query;passage\na;b\n', ':1: the first line has no comma but semicolons; separate'],
  ])('CSV with %s', async (_, content, message) => {
    const path = await file('x.csv', content);
    expect(await refusal({ format: 'pairs-csv', path, lang: 'en' })).toContain(message);
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
    // A page that is no zstd frame, though the file says so.
    const damaged = parquetWriteBuffer({
      columnData: [{ name: 'query', data: column('q'), type: 'STRING' }],
      codec: 'ZSTD',
      compressors: { ZSTD: () => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    });
    const cut = await file('x.parquet', new Uint8Array(damaged));
    expect(await refusal({ format: 'parquet', path: cut, lang: 'en' })).toMatch(
      /x\.parquet: not a sound Parquet file \(.*\); fetch it again$/,
    );
    expect(await refusal({ format: 'parquet', path: inFolder('none.parquet') })).toContain(
      'there is no such file',
    );
  });
});
