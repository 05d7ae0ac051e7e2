/**
 * Says why tests are skipped, or fails where `REQUIRE_<NAME>=1` forbids it.
 *
 * @param what is missing, and how to get it; undefined if nothing is
 * @returns the line; undefined if nothing is missing
 */
export function skippedWithout(name: string, what: string | undefined): string | undefined {
  if (what === undefined) return undefined;
  const line = `${what}: the tests in ${name} are skipped`;
  if (process.env[`REQUIRE_${name.toUpperCase()}`] === '1') throw new Error(line);
  console.warn(line);
  return line;
}
