/**
 * Reads FAQs of translated public websites: `parallel_faq.jsonl.gz` with `{source, key, lang, q, a}` lines,
 * aligned by (source, key).
 */
import { join } from 'node:path';
import { type Pair, pairsFromParallel } from '../rows.js';
import { readJsonLines, requiredText } from './json.js';
import { listFolder } from './lines.js';
import { located, type ReadOptions, select } from './options.js';

/**
 * Codes that are the sources' own: countries for languages (`gr`, `pr`), and regions that say nothing
 * because no other region of the language is there (`ja-JA`, `sq-KS`). Those of Portuguese and Chinese stay.
 */
const aliases: Readonly<Record<string, string>> = {
  gr: 'el',
  pr: 'fa',
  'ar-EG': 'ar',
  'bs-BS': 'bs',
  'de-DE': 'de',
  'es-ES': 'es',
  'fr-FR': 'fr',
  'id-ID': 'id',
  'it-IT': 'it',
  'ja-JA': 'ja',
  'ko-KR': 'ko',
  'nl-NL': 'nl',
  'pl-PL': 'pl',
  'ro-RO': 'ro',
  'ru-RU': 'ru',
  'sq-KS': 'sq',
  'th-TH': 'th',
  'tr-TR': 'tr',
  'uk-UA': 'uk',
  'vi-VI': 'vi',
};

/**
 * One monolingual pair per (source, key, language): question or heading and the text below it. The domain
 * is the source (`bitcoin.org` …).
 *
 * @throws DataError with file and line
 */
export async function* readParallelFaq(folder: string, options: ReadOptions = {}): AsyncGenerator<Pair> {
  const names = await listFolder(folder);
  const name = names.find((other) => other === 'parallel_faq.jsonl') ?? 'parallel_faq.jsonl.gz';
  const file = join(folder, name);
  yield* select(questions(file, options), options, file);
}

async function* questions(file: string, options: ReadOptions): AsyncGenerator<Pair> {
  for await (const fields of readJsonLines(file)) {
    const source = requiredText(fields, 'source');
    const written = requiredText(fields, 'lang');
    yield* pairsFromParallel([
      {
        key: `${source}/${requiredText(fields, 'key')}`,
        lang: aliases[written] ?? located(written, fields.where),
        query: requiredText(fields, 'q'),
        passage: requiredText(fields, 'a'),
        dataset: options.dataset ?? 'parallel-faq',
        domain: options.domain ?? source,
      },
    ]);
  }
}
