/**
 * Pairs and a tokenizer to measure the making of batches with: XQuAD-R's questions and sentences in XLM-R's
 * tokens where those files are at hand, else made-up words of the same lengths with a tokenizer trained on them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readXquadR } from '@synglot/data/files';
import { Tokenizer, trainTokenizer } from '@synglot/models';
import { uniform } from './shapes.js';

export interface HostData {
  /** One line of JSON per pair, as the reader `pairs-jsonl` takes it. */
  readonly lines: readonly string[];
  readonly tokenizer: Tokenizer;
  /** In words, for the result. */
  readonly about: string;
}

/** @param shared the folder that holds `xquad-r` and `tokenizers/xlm-roberta` */
export async function hostData(shared: string): Promise<HostData> {
  const tokenizerFile = join(shared, 'tokenizers/xlm-roberta/tokenizer.json.gz');
  const folder = join(shared, 'xquad-r');
  return existsSync(tokenizerFile) && existsSync(folder) ? xquadR(folder, tokenizerFile) : madeUp();
}

/** Questions with the sentences that answer them, each in its own language, parallel in all. */
async function xquadR(folder: string, tokenizerFile: string): Promise<HostData> {
  const { queries, candidates, relevant, langs } = await readXquadR(folder);
  const lines = queries.map(({ id, lang, text }, index) => {
    const answers = [...(relevant[index] as Uint32Array)].map((each) => candidates[each]);
    return JSON.stringify({
      id,
      lang,
      query: text,
      passage: answers.find((answer) => answer?.lang === lang)?.text,
      query_parallel_id: id.slice(0, id.lastIndexOf('_')),
      passage_parallel_id: answers[0]?.id,
    });
  });
  const json = gunzipSync(readFileSync(tokenizerFile)).toString();
  const tokenizer = await Tokenizer.fromJson(json, tokenizerFile);
  return { lines, tokenizer, about: `XQuAD-R in ${langs.length} languages, XLM-R's tokenizer` };
}

/** 11 languages of 1,190 questions with about as many words as XQuAD-R's: 12 on average, and 25 in sentences. */
async function madeUp(): Promise<HostData> {
  const random = uniform(1);
  const words = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 2 + Math.floor(random() * 8) }, () =>
      String.fromCharCode(97 + Math.floor(random() * 26)),
    ).join(''),
  );
  // Small numbers are drawn more often, as some words are more frequent.
  const text = (mean: number) =>
    Array.from(
      { length: Math.ceil(mean * (0.5 + random())) },
      () => words[Math.floor(random() ** 3 * words.length)],
    ).join(' ');
  const lines = [];
  const texts: string[] = [];
  for (let language = 0; language < 11; language++) {
    for (let question = 0; question < 1190; question++) {
      const pair = { query: text(12), passage: text(25) };
      texts.push(pair.query, pair.passage);
      lines.push(
        JSON.stringify({ ...pair, lang: `a${'abcdefghijk'[language]}`, parallel_id: `${question}` }),
      );
    }
  }
  const tokenizer = await trainTokenizer(texts, { vocabularySize: 12_000 });
  return { lines, tokenizer, about: 'made-up words in 11 languages, a tokenizer trained on them' };
}
