/**
 * Query-language preference: whether a ranking that mixes all languages puts the passage in the reader's own
 * language before its translations, and how that relates to finding it at all.
 */

/** What the first passage of a ranking is: right or wrong, in the query's language or in another. */
export interface FirstPassage {
  /** Relevant, in the language of the query. */
  relevant_own: number;
  /** Relevant, in another language: found, but perhaps not readable. */
  relevant_other: number;
  /** Not relevant, in the language of the query: language decided instead of meaning. */
  wrong_own: number;
  /** Not relevant, in another language. */
  wrong_other: number;
}

/** Means over the queries of one language. */
export interface LanguagePreferenceMeans {
  /**
   * Share of queries whose best-ranked relevant passage is in the query's language, of those which have
   * relevant passages in it and in another; null if there are none. Without preference it is 1 / languages.
   */
  own_language_first: number | null;
  /** Shares, which sum to 1. */
  first_passage: FirstPassage;
}

/**
 * Gathers one query language's figures, in the sense of the Language Preference Rate and the 4-way
 * decomposition of MLAIRE (arXiv 2605.07249). The paper was read in summaries only, so the figures carry
 * names of their own; Lang-nDCG, whose formula they do not give, is not computed.
 */
export class LanguagePreference {
  private preferred = 0;
  private compared = 0;
  private queries = 0;
  private readonly first: FirstPassage = { relevant_own: 0, relevant_other: 0, wrong_own: 0, wrong_other: 0 };

  /**
   * Adds one query.
   *
   * @param lang - language of the query
   * @param relevantLangs - languages of the relevant passages in the order of their ranks in the mixed pool
   * @param firstLang - language of the pool's first passage
   * @param firstIsRelevant - whether that passage is relevant
   */
  add(lang: string, relevantLangs: readonly string[], firstLang: string, firstIsRelevant: boolean): void {
    const own = relevantLangs.filter((other) => other === lang).length;
    if (own > 0 && own < relevantLangs.length) {
      this.compared++;
      if (relevantLangs[0] === lang) this.preferred++;
    }
    this.queries++;
    const outcome =
      `${firstIsRelevant ? 'relevant' : 'wrong'}_${firstLang === lang ? 'own' : 'other'}` as const;
    this.first[outcome]++;
  }

  /** Undefined if no query was added. */
  means(): LanguagePreferenceMeans | undefined {
    const { queries, compared } = this;
    if (queries === 0) return undefined;
    const share = (name: keyof FirstPassage) => this.first[name] / queries;
    return {
      own_language_first: compared === 0 ? null : this.preferred / compared,
      first_passage: {
        relevant_own: share('relevant_own'),
        relevant_other: share('relevant_other'),
        wrong_own: share('wrong_own'),
        wrong_other: share('wrong_other'),
      },
    };
  }
}
