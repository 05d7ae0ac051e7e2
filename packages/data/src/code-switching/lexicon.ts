/**
 * A bilingual lexicon: words of one language with their translations into another. Not a reader; see
 * `files/lexicon.ts`.
 */

import { Fingerprint } from '../hash.js';

/** Translations from one language into another. Made by a {@link LexiconBuilder}. */
export interface Lexicon {
  /** Language of the words, normalised. */
  readonly from: string;
  /** Language of the translations, normalised. */
  readonly to: string;
  /** The file or whatever else it came from, for messages. */
  readonly source: string;
  /** Number of words that have a translation. */
  readonly size: number;
  /** Changes when any entry or their order changes. */
  readonly fingerprint: string;
  /** The translations of a word, in the order of the source, whatever the word's case; none: undefined. */
  translations(word: string): readonly string[] | undefined;
}

/** Collects the entries of one lexicon. A translation equal to its word is no switch and is left out. */
export class LexiconBuilder {
  readonly #from: string;
  readonly #to: string;
  readonly #source: string;
  readonly #entries = new Map<string, string[]>();
  readonly #fingerprint: Fingerprint;

  /** @param from, to normalised language codes @param source for messages */
  constructor(from: string, to: string, source: string) {
    this.#from = from;
    this.#to = to;
    this.#source = source;
    this.#fingerprint = new Fingerprint().add(from).add(to);
  }

  /** Adds a translation of a word; what is empty or the word itself is left out. */
  add(word: string, translation: string): void {
    const key = foldCase(word, this.#from);
    const value = translation.normalize('NFC').trim();
    if (key === '' || value === '' || foldCase(value, this.#from) === key) return;
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, [value]);
    else if (!known.includes(value)) known.push(value);
    this.#fingerprint.add(key).add(value);
  }

  /** The lexicon of what was added. */
  build(): Lexicon {
    const entries = this.#entries;
    const from = this.#from;
    return {
      from,
      to: this.#to,
      source: this.#source,
      size: entries.size,
      fingerprint: this.#fingerprint.digest(),
      translations: (word) => entries.get(foldCase(word, from)),
    };
  }
}

/** One spelling for a word whatever its case: the language matters for the Turkish dotless i. */
function foldCase(word: string, lang: string): string {
  return word.normalize('NFC').trim().toLocaleLowerCase(lang);
}
