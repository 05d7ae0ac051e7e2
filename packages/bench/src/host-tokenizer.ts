/** What reading a `tokenizer.json` costs the JavaScript thread, on which the tokenizer's library reads it. */
import { threadTimeNs } from '@synglot/gpu/node';
import { Tokenizer } from '@synglot/models';
import { spread } from './statistics.js';

/** Reads the same file `runs` times after one that does not count; milliseconds of the thread. */
export async function measureTokenizer(json: string, runs: number) {
  const times: number[] = [];
  let tokens = 0;
  for (let run = 0; run <= runs; run++) {
    const begin = threadTimeNs();
    const { vocabularySize } = await Tokenizer.fromJson(json, 'tokenizer.json');
    if (run > 0) times.push((threadTimeNs() - begin) / 1e6);
    tokens = vocabularySize;
  }
  return { tokens, megabytes: Buffer.byteLength(json) / 1e6, main_ms: spread(times) };
}
