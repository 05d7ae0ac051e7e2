/** Language gap: how far the best served language is from the worst. Descriptive; no paper's definition. */

/** Largest difference of a measure between languages. */
export interface LanguageGap {
  /** Value of `best` minus value of `worst`. */
  readonly gap: number;
  readonly best: string;
  readonly worst: string;
}

/** The gap between values by language, or null for fewer than two of them. */
export function languageGap(values: Readonly<Record<string, number>>): LanguageGap | null {
  const entries = Object.entries(values);
  if (entries.length < 2) return null;
  let [best, worst] = [entries[0]!, entries[0]!];
  for (const entry of entries) {
    if (entry[1] > best[1]) best = entry;
    if (entry[1] < worst[1]) worst = entry;
  }
  return { gap: best[1] - worst[1], best: best[0], worst: worst[0] };
}
