/** How a figure is printed: by every table, by the report's page, and as trec_eval prints it. */

/** `value` with so many decimals as C's printf and Python's round give: like `toFixed`, but an exact half goes to the even digit. */
export function rounded(value: number, digits: number): string {
  const up = value.toFixed(digits);
  // An exact half is a multiple of 1 / 2^(digits + 1), so its digits end early: 30 of them show it exactly.
  const exact = value.toFixed(30);
  const kept = exact.length - 30 + digits;
  return /^50*$/.test(exact.slice(kept)) && Number(exact[kept - 1]) % 2 === 0 ? exact.slice(0, kept) : up;
}

/** {@link rounded} for a table: what is rounded to zero has no sign, and what does not exist is `absent`, a dash. */
export function decimal(value: number | null | undefined, digits: number, absent = '-'): string {
  return value === null || value === undefined ? absent : rounded(value, digits).replace(/^-(?=[0.]+$)/, '');
}
