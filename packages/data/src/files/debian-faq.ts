/**
 * Reads the Debian FAQ and its translations: `{lang}.jsonl.gz` with `{id, file, q, a}` lines, `id` shared by
 * all languages.
 */
import { normaliseText } from '../hash.js';
import { selectLanguages } from '../languages.js';
import { type Pair, pairsFromParallel } from '../rows.js';
import { readJsonLines, requiredText } from './json.js';
import { type LanguageFile, languageFiles } from './language-files.js';
import { type ReadOptions, select, take } from './options.js';

/** Options of {@link readDebianFaq}. */
export interface DebianFaqOptions extends ReadOptions {
  /** Keep sections whose question or answer is still the English one. Default false. */
  readonly keepUntranslated?: boolean;
}

/**
 * One monolingual pair per section and language: title and text of the section.
 *
 * A section whose title or text still equals the English one is untranslated and left out. That needs
 * `en.jsonl.gz`, whether or not English is wanted.
 *
 * @throws DataError with file and line
 */
export async function* readDebianFaq(folder: string, options: DebianFaqOptions = {}): AsyncGenerator<Pair> {
  const files = await languageFiles(folder, /^([a-z-]+)\.jsonl(?:\.gz)?$/, 'de.jsonl.gz');
  const known = files.map((file) => file.lang);
  const wanted = selectLanguages(options.langs, known, folder);
  const english = files.find((file) => file.lang === 'en');
  const original = new Map<string, { q: string; a: string }>();
  if (english !== undefined && options.keepUntranslated !== true) {
    for await (const fields of readJsonLines(english.file)) {
      const section = {
        q: normaliseText(requiredText(fields, 'q')),
        a: normaliseText(requiredText(fields, 'a')),
      };
      original.set(requiredText(fields, 'id'), section);
    }
  }
  yield* select(sections(files, wanted, original, options), options, folder, known);
}

async function* sections(
  files: readonly LanguageFile[],
  wanted: readonly string[],
  original: ReadonlyMap<string, { q: string; a: string }>,
  options: DebianFaqOptions,
): AsyncGenerator<Pair> {
  const dataset = options.dataset ?? 'debian-faq';
  const domain = options.domain ?? dataset;
  for (const { lang, file } of files) {
    if (!wanted.includes(lang)) continue;
    const pairs = async function* () {
      for await (const fields of readJsonLines(file)) {
        const key = requiredText(fields, 'id');
        const query = requiredText(fields, 'q');
        const passage = requiredText(fields, 'a');
        const english = lang === 'en' ? undefined : original.get(key);
        if (
          english !== undefined &&
          (normaliseText(query) === english.q || normaliseText(passage) === english.a)
        )
          continue;
        yield* pairsFromParallel([{ key, lang, query, passage, dataset, domain }]);
      }
    };
    yield* take(pairs(), options.limit);
  }
}
