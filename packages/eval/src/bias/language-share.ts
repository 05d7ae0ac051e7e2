/**
 * Language share: of the first k passages that queries of one language get from the mixed pool, how many
 * are in each language. Without bias the shares resemble those of the pool.
 */

/** Shares in [0, 1] by language. */
export type Shares = Record<string, number>;

/** Counts the languages of top passages, per query language. */
export class LanguageShare {
  private readonly counts = new Map<string, Map<string, number>>();

  constructor(private readonly langs: readonly string[]) {}

  /** Adds the languages of one query's first k passages. */
  add(queryLang: string, topLangs: Iterable<string>): void {
    let row = this.counts.get(queryLang);
    if (row === undefined) {
      row = new Map();
      this.counts.set(queryLang, row);
    }
    for (const lang of topLangs) row.set(lang, (row.get(lang) ?? 0) + 1);
  }

  /** Shares by query language, then by language of the passage. */
  shares(): Record<string, Shares> {
    return Object.fromEntries(
      [...this.counts].map(([queryLang, row]) => [queryLang, toShares(this.langs, row)]),
    );
  }
}

/** Turns counts by language into shares of their sum; a language without a count has share 0. */
export function toShares(langs: readonly string[], counts: ReadonlyMap<string, number>): Shares {
  let total = 0;
  for (const count of counts.values()) total += count;
  return Object.fromEntries(langs.map((lang) => [lang, total === 0 ? 0 : (counts.get(lang) ?? 0) / total]));
}
