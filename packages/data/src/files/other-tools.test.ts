/** Training files of other tools. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { lines, read, testFiles, texts } from './test-support.js';

const { file, refusal } = testFiles();

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
    const numbered = await file('corpus.jsonl', lines({ docid: 7, text: 'p' }));
    const byNumber = await file('x.jsonl', lines({ query_text: 'q', positive_document_ids: [7] }));
    expect(texts(await read({ format: 'tevatron', path: byNumber, corpus: numbered, lang: 'en' }))).toEqual([
      ['q', 'p'],
    ]);
    const short = await file('corpus.jsonl', lines({ docid: 'd1', text: 'p' }));
    expect(await refusal({ format: 'tevatron', path: ids, corpus: short, lang: 'en' })).toContain(
      "'negative_document_ids[0]' is 'd2', which",
    );
  });
});
