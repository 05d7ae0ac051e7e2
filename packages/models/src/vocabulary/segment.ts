/** How a vocabulary splits one word: the two rules of the Rust library, for words that need no normalising. */
import type { Vocabulary } from './tokenizer-json.js';

/** What an unknown character costs beside the least probable piece; SentencePiece's and the library's. */
const unknownPenalty = 10;

/** Longest-match-first or likeliest segmentation over given pieces. */
export class Segmenter {
  readonly #ids = new Map<string, number>();
  readonly #vocabulary: Vocabulary;
  readonly #longest: number;
  /** Unigram: the lowest score of a piece. */
  readonly leastScore: number;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    let longest = 1;
    let least = 0;
    for (const [id, token] of vocabulary.tokens.entries()) {
      if (token === undefined || vocabulary.added.has(id)) continue;
      this.#ids.set(token, id);
      longest = Math.max(longest, [...token].length);
      least = Math.min(least, vocabulary.scores?.[id] ?? 0);
    }
    this.#longest = longest;
    this.leastScore = least;
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** The known pieces of a word, whatever else is in it. */
  knownPieces(word: string): number[] {
    const { ids } =
      this.#vocabulary.kind === 'unigram' ? this.#likeliest(word) : this.#longestFirst(word, true);
    return ids.filter((id) => id !== undefined);
  }

  /** Ids of the pieces, undefined for what is unknown, and unigram's score of the segmentation. */
  split(word: string): { readonly ids: readonly (number | undefined)[]; readonly score: number } {
    return this.#vocabulary.kind === 'unigram' ? this.#likeliest(word) : this.#longestFirst(word);
  }

  #longestFirst(word: string, skipsUnknown = false) {
    const { continuing } = this.#vocabulary;
    // A word's own continuation, given as a token: `##en`.
    const inside = continuing !== '' && word.startsWith(continuing);
    const characters = [...(inside ? word.slice(continuing.length) : word)];
    const ids: number[] = [];
    for (let begin = 0; begin < characters.length; ) {
      let end = Math.min(characters.length, begin + this.#longest);
      let id: number | undefined;
      for (; end > begin; end--) {
        const piece = characters.slice(begin, end).join('');
        id = this.#ids.get(begin > 0 || inside ? continuing + piece : piece);
        if (id !== undefined) break;
      }
      if (id !== undefined) ids.push(id);
      else if (!skipsUnknown) return { ids: [undefined], score: 0 };
      begin = Math.max(end, begin + 1);
    }
    return { ids, score: 0 };
  }

  #likeliest(word: string) {
    const characters = [...word];
    const best: { score: number; begin: number; id: number | undefined }[] = [
      { score: 0, begin: 0, id: undefined },
    ];
    for (let end = 1; end <= characters.length; end++) {
      let found = { score: Number.NEGATIVE_INFINITY, begin: end - 1, id: undefined as number | undefined };
      for (let begin = Math.max(0, end - this.#longest); begin < end; begin++) {
        const id = this.#ids.get(characters.slice(begin, end).join(''));
        const own = id === undefined ? undefined : this.#vocabulary.scores?.[id];
        const before = best[begin]?.score as number;
        if (own !== undefined && before + own > found.score) found = { score: before + own, begin, id };
        else if (begin === end - 1 && own === undefined) {
          const score = before + this.leastScore - unknownPenalty;
          if (score > found.score) found = { score, begin, id: undefined };
        }
      }
      best.push(found);
    }
    const ids: (number | undefined)[] = [];
    for (let end = characters.length; end > 0; ) {
      const { begin, id } = best[end] as (typeof best)[number];
      ids.unshift(id);
      end = begin;
    }
    return { ids, score: best.at(-1)?.score ?? 0 };
  }
}
