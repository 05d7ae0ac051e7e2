/**
 * Tokens that are found in a text before it is split, in a page. The library's finds them inside words too where
 * `single_word` forbids it, and its white space is JavaScript's. Source: `added_vocabulary.rs` of the Rust library.
 */
import { Trie } from '../trie.js';
import type { AddedToken } from '../word-piece.js';
import { word } from './mends.js';

const inWord = new RegExp(`[${word}]`, 'u');
const space = /\p{White_Space}/u;

/** Cuts texts at added tokens; those marked as normalised are looked for in normalised texts, which are returned. */
export function cutAtAddedTokens(
  tokens: readonly AddedToken[],
  normalize: (text: string) => string,
): (text: string) => (string | AddedToken)[] {
  const atWritten = cutAt(
    tokens.filter(({ normalized }) => !normalized).map((token) => [token.content, token]),
  );
  const atNormalized = cutAt(
    tokens.filter(({ normalized }) => normalized).map((token) => [normalize(token.content), token]),
  );
  return (text) =>
    atWritten(text).flatMap((part) => (typeof part === 'string' ? atNormalized(normalize(part)) : part));
}

/** The longest token at each place counts, from left to right. */
function cutAt(
  tokens: readonly (readonly [string, AddedToken])[],
): (text: string) => (string | AddedToken)[] {
  const trie = new Trie(tokens.map(([written]) => written));
  return (text) => {
    const characters = [...text];
    const parts: (string | AddedToken)[] = [];
    const isAt = (kind: RegExp, at: number) => characters[at] !== undefined && kind.test(characters[at]);
    let done = 0;
    for (let at = 0; at < characters.length; ) {
      let begin = at++;
      let end = 0;
      let token: AddedToken | undefined;
      trie.match(characters, begin, (to, index) => {
        end = to;
        token = tokens[index]![1];
      });
      if (!token) continue;
      at = end;
      if (token.single_word && (isAt(inWord, begin - 1) || isAt(inWord, end))) continue;
      if (token.lstrip) while (begin > done && isAt(space, begin - 1)) begin--;
      if (token.rstrip) while (isAt(space, end)) end++;
      if (begin > done) parts.push(characters.slice(done, begin).join(''));
      parts.push(token);
      done = end;
    }
    if (done === 0) return text === '' ? [] : [text];
    if (done < characters.length) parts.push(characters.slice(done).join(''));
    return parts;
  };
}
