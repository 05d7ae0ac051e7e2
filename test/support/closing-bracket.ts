/** Where a bracket closes, for the checks that rewrite kernels. */

/** The index of the bracket that closes what `open` opened just before `from`. @throws SyntaxError where none does */
export function closingBracket(text: string, from: number, pair: '()' | '[]'): number {
  const [open, close] = pair;
  let depth = 1;
  for (let index = from; index < text.length; index++) {
    if (text[index] === open) depth += 1;
    if (text[index] === close) depth -= 1;
    if (depth === 0) return index;
  }
  throw new SyntaxError(`'${open}' is not closed`);
}
