/**
 * Unrolls marked loops, because Tint does not.
 *
 * `for (var i = 0u; i < COUNT; i++) { //@ unroll` … `}` becomes COUNT copies of the body with `i`
 * replaced by a literal, so that arrays indexed by `i` stay in registers on every driver. The file
 * itself remains plain WGSL.
 */
const marked = /for \(var (\w+) = 0u; \1 < (\w+); \1\+\+\) \{ \/\/@ unroll/;

/** Replaces every marked loop; `counts` gives the value of each constant, derived ones too. Throws on unknown ones. */
export function unrollLoops(source: string, counts: Readonly<Record<string, number>>): string {
  let text = source;
  for (let match = marked.exec(text); match; match = marked.exec(text)) {
    const [head, variable, constant] = match as unknown as [string, string, string];
    const count = counts[constant] ?? Number.parseInt(constant, 10);
    if (!Number.isInteger(count)) throw new TypeError(`cannot unroll over '${constant}': no such constant`);
    const bodyStart = match.index + head.length;
    const bodyEnd = closingBrace(text, bodyStart);
    const body = text.slice(bodyStart, bodyEnd).trim();
    const name = new RegExp(`\\b${variable}\\b`, 'g');
    const copies = Array.from({ length: count }, (_, index) => body.replace(name, `${index}u`));
    text = `${text.slice(0, match.index)}${copies.map((copy) => `{\n${copy}\n}`).join('\n')}${text.slice(bodyEnd + 1)}`;
  }
  return text;
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let index = from; index < text.length; index++) {
    if (text[index] === '{') depth += 1;
    if (text[index] === '}') depth -= 1;
    if (depth === 0) return index;
  }
  throw new SyntaxError('a loop marked for unrolling has no closing brace');
}
