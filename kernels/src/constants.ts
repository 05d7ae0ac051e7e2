/** Values of constants that WGSL computes of others: `const TILE_M: u32 = 4u * ROW_BLOCKS * WORKGROUP_Y;`. */

const declaration = /^const (\w+)(?:: u32)? = ([^;]+);/gm;

/**
 * The known constants and those that the text declares as whole-number arithmetic of them, in order.
 * Others (floats, vectors, comparisons) are left out.
 */
export function derivedConstants(
  text: string,
  known: Readonly<Record<string, number>>,
): Record<string, number> {
  const values = { ...known };
  for (const [, name, expression] of text.matchAll(declaration)) {
    const value = evaluate(expression as string, values);
    if (value !== undefined) values[name as string] = value;
  }
  return values;
}

/** Unsigned arithmetic (+ - * / %, parentheses) of literals and named values; undefined if it is anything else. */
export function evaluate(expression: string, values: Readonly<Record<string, number>>): number | undefined {
  const tokens = expression.match(/\w+|[^\s\w]/g) ?? [];
  let next = 0;
  const operand = (): number => {
    const token = tokens[next++] ?? '';
    if (token === '(') {
      const value = sum();
      return tokens[next++] === ')' ? value : Number.NaN;
    }
    return values[token] ?? (/^\d+u?$/.test(token) ? Number.parseInt(token, 10) : Number.NaN);
  };
  const product = (): number => {
    let value = operand();
    for (let sign = tokens[next]; sign === '*' || sign === '/' || sign === '%'; sign = tokens[next]) {
      next += 1;
      const right = operand();
      value = sign === '*' ? value * right : sign === '/' ? Math.trunc(value / right) : value % right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    for (let sign = tokens[next]; sign === '+' || sign === '-'; sign = tokens[next]) {
      next += 1;
      const right = product();
      value = sign === '+' ? value + right : value - right;
    }
    return value;
  };
  const value = sum();
  return next === tokens.length && Number.isInteger(value) ? value : undefined;
}
