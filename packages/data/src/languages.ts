/**
 * Language codes: one spelling for the many that data sets use. Not a language detector, and not a list of
 * the languages that a model knows.
 */
import { DataError } from './errors.js';
import { didYouMean, nearest } from './nearest.js';

/** English names, as mMARCO and others use them. */
const names: Readonly<Record<string, string>> = {
  afrikaans: 'af',
  albanian: 'sq',
  amharic: 'am',
  arabic: 'ar',
  armenian: 'hy',
  azerbaijani: 'az',
  basque: 'eu',
  belarusian: 'be',
  bengali: 'bn',
  bosnian: 'bs',
  bulgarian: 'bg',
  burmese: 'my',
  catalan: 'ca',
  chinese: 'zh',
  croatian: 'hr',
  czech: 'cs',
  danish: 'da',
  dutch: 'nl',
  english: 'en',
  esperanto: 'eo',
  estonian: 'et',
  farsi: 'fa',
  finnish: 'fi',
  french: 'fr',
  galician: 'gl',
  georgian: 'ka',
  german: 'de',
  greek: 'el',
  gujarati: 'gu',
  hausa: 'ha',
  hebrew: 'he',
  hindi: 'hi',
  hungarian: 'hu',
  icelandic: 'is',
  igbo: 'ig',
  indonesian: 'id',
  irish: 'ga',
  italian: 'it',
  japanese: 'ja',
  javanese: 'jv',
  kannada: 'kn',
  kazakh: 'kk',
  khmer: 'km',
  korean: 'ko',
  kurdish: 'ku',
  kyrgyz: 'ky',
  lao: 'lo',
  latin: 'la',
  latvian: 'lv',
  lithuanian: 'lt',
  macedonian: 'mk',
  malay: 'ms',
  malayalam: 'ml',
  maltese: 'mt',
  marathi: 'mr',
  mongolian: 'mn',
  nepali: 'ne',
  norwegian: 'no',
  oromo: 'om',
  pashto: 'ps',
  persian: 'fa',
  polish: 'pl',
  portuguese: 'pt',
  punjabi: 'pa',
  romanian: 'ro',
  russian: 'ru',
  sanskrit: 'sa',
  serbian: 'sr',
  sinhala: 'si',
  slovak: 'sk',
  slovenian: 'sl',
  somali: 'so',
  spanish: 'es',
  sundanese: 'su',
  swahili: 'sw',
  swedish: 'sv',
  tagalog: 'tl',
  tamil: 'ta',
  telugu: 'te',
  thai: 'th',
  turkish: 'tr',
  ukrainian: 'uk',
  urdu: 'ur',
  uzbek: 'uz',
  vietnamese: 'vi',
  welsh: 'cy',
  xhosa: 'xh',
  yiddish: 'yi',
  yoruba: 'yo',
  zulu: 'zu',
};

/** Codes that ISO 639 withdrew, and the script tags of Chinese, which mean the same as the common regions. */
const replaced: Readonly<Record<string, string>> = {
  iw: 'he',
  in: 'id',
  ji: 'yi',
  jw: 'jv',
  'zh-hans': 'zh-cn',
  'zh-hant': 'zh-tw',
  'zh-hans-cn': 'zh-cn',
  'zh-hant-tw': 'zh-tw',
};

/**
 * One spelling of a language: lower case, hyphens (`pt_BR` → `pt-br`, `zh_Hans` → `zh-cn`), codes for
 * English names (`German` → `de`), today's codes for withdrawn ones (`iw` → `he`).
 *
 * Regions are kept: `pt` and `pt-br` stay two languages.
 *
 * @throws DataError `INPUT_LANGUAGE` for a text that is neither a code (two or three letters, then subtags)
 *   nor a known name
 */
export function normaliseLanguage(language: string): string {
  const code = language.trim().toLowerCase().replaceAll('_', '-');
  if (Object.hasOwn(names, code)) return names[code]!;
  if (Object.hasOwn(replaced, code)) return replaced[code]!;
  if (/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(code)) return code;
  throw new DataError(
    'INPUT_LANGUAGE',
    `Expected a language code such as 'en' or 'pt-br', or an English name, but received '${language}'${didYouMean(code, Object.keys(names))}`,
  );
}

/**
 * The wanted languages, normalised, each once, in the order wanted.
 *
 * @param available the languages that the data have, normalised
 * @param source what to call the data in the message: a file, a folder
 * @throws DataError `INPUT_LANGUAGE` for one that the data do not have, with the nearest that they have
 */
export function selectLanguages(
  wanted: readonly string[] | undefined,
  available: Iterable<string>,
  source: string,
): string[] {
  const known = [...new Set(available)];
  if (wanted === undefined) return known;
  const selected = [...new Set(wanted.map(normaliseLanguage))];
  if (selected.length === 0) {
    throw new DataError(
      'INPUT_LANGUAGE',
      `${source}: the list of languages is empty; leave it out to read all`,
    );
  }
  for (const code of selected) {
    if (!known.includes(code)) throw unknownLanguage(code, known, source);
  }
  return selected;
}

/** The error for a language that the data do not have; it names the nearest ones that they have. */
export function unknownLanguage(code: string, known: readonly string[], source: string): DataError {
  const near = nearest(code, known);
  const related = known.filter(
    (other) => other.split('-')[0] === code.split('-')[0] && !near.includes(other),
  );
  const hint = [...related, ...near].map((other) => `'${other}'`);
  const meant = hint.length === 0 ? '' : ` (did you mean ${hint.join(' or ')}?)`;
  const list = known.length === 0 ? 'no language' : [...known].sort().join(', ');
  return new DataError(
    'INPUT_LANGUAGE',
    `${source}: unknown language '${code}'${meant}; the data have ${list}`,
  );
}
