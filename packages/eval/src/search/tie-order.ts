/** The order of equally scored passages, worked out once per pool so that rankings compare two integers. */
import type { Profile } from '../profiles.js';

/**
 * Position of each passage among all, were all scores equal: the smaller, the earlier it ranks.
 *
 * Ids are compared as UTF-8 bytes (which is the order of code points), as trec_eval and Python do.
 */
export function tieOrder(ids: readonly string[], ties: Profile['ties']): Uint32Array {
  const order = Uint32Array.from(ids.keys());
  const sign = ties === 'id-ascending' ? 1 : -1;
  order.sort((a, b) => sign * compareUtf8(ids[a]!, ids[b]!));
  const position = new Uint32Array(ids.length);
  for (let i = 0; i < order.length; i++) position[order[i]!] = i;
  return position;
}

/** Compares two strings by their UTF-8 bytes: negative, 0 or positive. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above U+FFFF, so it sorts after every other UTF-16 unit.
    const xIsSurrogate = (x & 0xf800) === 0xd800;
    const yIsSurrogate = (y & 0xf800) === 0xd800;
    return xIsSurrogate === yIsSurrogate ? x - y : xIsSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}
