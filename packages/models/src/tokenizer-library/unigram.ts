/**
 * The unigram model in a page. The library's keeps a million objects for XLM-R's vocabulary, which takes most of the time
 * that opening it does, and joins unknown characters across words. Source: `encode_optimized` of the Rust library.
 */
import { Trie } from '../trie.js';

/** How much less likely than the least likely piece an unknown character is. */
const unknownPenalty = 10;

/**
 * Cuts words into their likeliest pieces.
 *
 * @param vocabulary pieces and the logarithms of their probabilities
 * @param unknown the index of what stands for unknown characters; a run of them is one piece
 */
export function unigramModel(
  vocabulary: readonly (readonly [string, number])[],
  unknown: number,
): (word: string) => string[] {
  const trie = new Trie(vocabulary.map(([piece]) => piece));
  const scores = Float64Array.from(vocabulary, ([, score]) => score);
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty;
  let best = new Float64Array(64);
  let begins = new Int32Array(64);
  let pieces = new Int32Array(64);
  return (word) => {
    const characters = [...word];
    const { length } = characters;
    if (length >= best.length) {
      best = new Float64Array(2 * length);
      begins = new Int32Array(2 * length);
      pieces = new Int32Array(2 * length);
    }
    best.fill(Number.NEGATIVE_INFINITY, 1, length + 1);
    for (let begin = 0; begin < length; begin++) {
      const before = best[begin]!;
      const offer = (end: number, piece: number, score: number) => {
        if (before + score <= best[end]!) return;
        best[end] = before + score;
        begins[end] = begin;
        pieces[end] = piece;
      };
      let known = false;
      trie.match(characters, begin, (end, piece) => {
        known ||= end === begin + 1;
        offer(end, piece, scores[piece]!);
      });
      if (!known) offer(begin + 1, unknown, unknownScore);
    }
    const result: string[] = [];
    for (let end = length; end > 0; ) {
      const piece = pieces[end]!;
      let begin = begins[end]!;
      if (piece === unknown) while (begin > 0 && pieces[begin] === unknown) begin = begins[begin]!;
      result.push(piece === unknown ? characters.slice(begin, end).join('') : vocabulary[piece]![0]);
      end = begin;
    }
    return result.reverse();
  };
}

/** The pieces that stand for a text's bytes, in a vocabulary that has them. */
export function bytePieces(text: string): string[] {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  });
}
