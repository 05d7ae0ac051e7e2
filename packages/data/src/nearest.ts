/**
 * Finds the known name that a user probably meant. Not a spell checker: it only compares letters.
 */

/**
 * Names of `known` nearest to `name`, best first, by the edit distance in which swapping two neighbours
 * counts one (optimal string alignment). A name whose beginning is `name`, or the other way round, counts
 * as near, and so does one of which `name` is a whole word: `jsonl` of `pairs-jsonl`.
 *
 * @param limit how many names at most
 */
export function nearest(name: string, known: Iterable<string>, limit = 3): string[] {
  const wanted = name.toLowerCase();
  const farthest = Math.max(1, Math.ceil(wanted.length / 3));
  const scored: { name: string; distance: number }[] = [];
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    const prefix = wanted !== '' && (other.startsWith(wanted) || wanted.startsWith(other));
    const word = other.split(/[-_.]/).includes(wanted);
    const distance = prefix || word ? Math.min(1, editDistance(wanted, other)) : editDistance(wanted, other);
    if (distance <= farthest) scored.push({ name: candidate, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return scored.slice(0, limit).map((entry) => entry.name);
}

/** ` (did you mean 'x' or 'y'?)` for the nearest names, or an empty string where none is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const names = nearest(name, known).map((candidate) => `'${candidate}'`);
  return names.length === 0 ? '' : ` (did you mean ${names.join(' or ')}?)`;
}

function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforePrevious[j - 2]! + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
