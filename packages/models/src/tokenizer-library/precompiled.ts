/**
 * SentencePiece's normaliser as a `tokenizer.json` carries it: a table of what becomes of characters, for XLM-R close to
 * NFKC. The library of pages computes NFKC instead, and composes what the table does not; this reads the table, as the
 * Rust library does, down to what that is known to do oddly.
 *
 * Source: SentencePiece's `normalizer.cc` (the table's layout), Darts-clone (the trie's), and Rust's `spm_precompiled`
 * (which parts of a text are looked up).
 */

const noTable = 'normalizer: precompiled_charsmap is not a table of SentencePiece';
/** What may be of one cluster, short enough to be looked up, with the character before or after it. */
const joining = /[\p{M}\p{Cf}\p{Grapheme_Extend}\r\u0e33\u0eb3]/u;
/** Longer clusters are looked up character by character, by the Rust library's rule. */
const longestClusterBytes = 5;

/**
 * A normaliser of texts from the base64 of `precompiled_charsmap`: the trie's bytes as u32, the trie, and what it points
 * into, texts that end at a zero.
 *
 * @throws Error where it is no such table
 */
export function readCharsmap(base64: string): (text: string) => string {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  const trieBytes = bytes.length < 8 ? Number.NaN : new DataView(bytes.buffer).getUint32(0, true);
  if (!(trieBytes >= 4 && trieBytes % 4 === 0 && trieBytes <= bytes.length - 4)) throw new Error(noTable);
  const units = new Uint32Array(bytes.slice(4, 4 + trieBytes).buffer);
  const results = bytes.subarray(4 + trieBytes);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** What the shortest beginning of `key` that the table has becomes; undefined if it has none. */
  const lookUp = (key: Uint8Array): string | undefined => {
    let at = offsetOf(units[0] as number);
    for (const byte of key) {
      at ^= byte;
      const unit = units[at];
      if (byte === 0 || unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined;
      at ^= offsetOf(unit);
      if ((unit >>> 8) & 1) {
        const begin = (units[at] as number) & 0x7fffffff;
        return decoder.decode(results.subarray(begin, results.indexOf(0, begin)));
      }
    }
    return undefined;
  };
  const characters = new Map<string, string>();
  const normalizeCharacter = (character: string): string => {
    const known = characters.get(character);
    if (known !== undefined) return known;
    const result = lookUp(encoder.encode(character)) ?? character;
    characters.set(character, result);
    return result;
  };
  const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at));
  const mapped = printable.some((character) => normalizeCharacter(character) !== character)
    ? /./gsu
    : /[^ -~]/gu;
  const normalizeCharacters = (text: string) => text.replace(mapped, normalizeCharacter);
  const clusters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return (text) => {
    if (!joining.test(text)) return normalizeCharacters(text);
    const parts = Array.from(clusters.segment(text), ({ segment }) => {
      const key = segment.length > 1 && encoder.encode(segment);
      const whole = key && key.length <= longestClusterBytes ? lookUp(key) : undefined;
      return whole ?? normalizeCharacters(segment);
    });
    return parts.join('');
  };
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
