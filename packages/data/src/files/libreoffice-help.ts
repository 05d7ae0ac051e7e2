/**
 * Reads the LibreOffice Help pages: `{lang}.jsonl.gz` with `{id, title, text}` lines, `id` (the page's path)
 * shared by all languages.
 */
import { selectLanguages } from '../languages.js';
import { type Pair, pairsFromParallel } from '../rows.js';
import { readJsonLines, requiredText } from './json.js';
import { languageFiles } from './language-files.js';
import { type ReadOptions, select, take } from './options.js';

/** The folder's `en-us` is what all other languages are translated from, and the only English. */
const aliases = { 'en-us': 'en' };

/**
 * One monolingual pair per page and language: title and text. The language `en-us` is called `en`; the
 * domain is the part of LibreOffice (`swriter`, `scalc` …).
 *
 * @throws DataError with file and line
 */
export async function* readLibreofficeHelp(folder: string, options: ReadOptions = {}): AsyncGenerator<Pair> {
  const files = await languageFiles(folder, /^([a-z-]+)\.jsonl(?:\.gz)?$/, 'de.jsonl.gz', aliases);
  const known = files.map((file) => file.lang);
  const wanted = selectLanguages(options.langs, known, folder);
  const dataset = options.dataset ?? 'libreoffice-help';
  const pages = async function* (lang: string, file: string) {
    for await (const fields of readJsonLines(file)) {
      const key = requiredText(fields, 'id');
      const query = requiredText(fields, 'title');
      const passage = requiredText(fields, 'text');
      const domain = options.domain ?? key.split('/')[0]!;
      yield* pairsFromParallel([{ key, lang, query, passage, dataset, domain }]);
    }
  };
  const all = async function* () {
    for (const { lang, file } of files)
      if (wanted.includes(lang)) yield* take(pages(lang, file), options.limit);
  };
  yield* select(all(), options, folder, known);
}
