/** Collections that are folders of several files. */
import { describe, expect, test } from 'vitest';
import { lines, read, testFiles, texts } from './test-support.js';

const { files, refusal } = testFiles();

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
    const untitled = { 'corpus.jsonl': lines({ _id: 'd1', title: 'T', text: '' }, { _id: 'd2', text: 'n' }) };
    expect(texts(await read({ format: 'beir', path: await files({ ...parts(), ...untitled }) }))).toEqual([
      ['q', 'T', 'n'],
    ]);
    const blank = { 'corpus.jsonl': lines({ _id: 'd1', title: ' ', text: '' }) };
    expect(await refusal({ format: 'beir', path: await files({ ...parts(), ...blank }) })).toContain(
      "corpus.jsonl:1: 'text' is empty",
    );
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
