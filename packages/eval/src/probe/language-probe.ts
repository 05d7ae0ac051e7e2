/**
 * How well a fresh linear probe tells the language of an embedding: how much a model still says about the language
 * of a text. 1 is everything; the share of the most frequent language is nothing.
 */
import { holdOut } from '@synglot/data';
import { EvaluationError } from '../errors.js';
import { checkFinite } from '../search/vector-source.js';
import { logisticRegression } from './logistic-regression.js';

/** Embedded texts with their languages. */
export interface ProbeRows {
  /** [texts, dimension] */
  readonly vectors: Float32Array;
  readonly dimension: number;
  readonly langs: readonly string[];
  /** Translations have one; they fall on the same side of the split. */
  readonly parallelIds: readonly string[];
}

/** Options of {@link languageProbe}. */
export interface ProbeOptions {
  /** Share of the parallel ids that the probe is tested on. Default 0.3. */
  readonly test?: number;
  /** Of the split. Default 0. */
  readonly seed?: number;
}

/** How well the language of a text can be told from its embedding. */
export interface ProbeReport {
  readonly languages: readonly string[];
  readonly train: number;
  readonly test: number;
  /** Share of the test texts whose language the probe tells. */
  readonly accuracy: number;
  /** The same for always naming the language that is most frequent in training. */
  readonly majority: number;
  /** Accuracy on the texts of each language. */
  readonly perLanguage: Readonly<Record<string, number>>;
  /** Whether the regression converged, and in how many iterations. */
  readonly converged: boolean;
  readonly iterations: number;
}

/**
 * Trains a probe on one part of the parallel ids and tests it on the other.
 *
 * A linear probe (Alain & Bengio 2017, arXiv 1610.01644) for language, as in Libovický et al. 2020 (arXiv
 * 2004.05160).
 *
 * @throws EvaluationError `INPUT_EMBEDDINGS` with fewer than two languages or an empty side, and for a value that is not finite
 */
export function languageProbe(rows: ProbeRows, options: ProbeOptions = {}): ProbeReport {
  const { vectors, dimension, langs, parallelIds } = rows;
  const { test: share = 0.3, seed = 0 } = options;
  checkFinite(vectors, dimension, (row) => `text ${row}`);
  const isTest = parallelIds.map((id) => holdOut(id, share, seed));
  const indices = (test: boolean) => isTest.flatMap((side, index) => (side === test ? [index] : []));
  const [train, test] = [indices(false), indices(true)];
  const languages = [...new Set(train.map((index) => langs[index] as string))].sort();
  if (languages.length < 2 || test.length === 0) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `a language probe needs texts in two languages to learn from and some to be tested on, but has ${train.length} in ${languages.length} languages, and ${test.length}; give more data or another share for the test`,
    );
  }
  const gather = (of: readonly number[]) => {
    const values = new Float32Array(of.length * dimension);
    of.forEach((index, row) => {
      values.set(vectors.subarray(index * dimension, (index + 1) * dimension), row * dimension);
    });
    return values;
  };
  const labels = Uint32Array.from(train, (index) => languages.indexOf(langs[index] as string));
  const { predict, fit } = logisticRegression(
    { values: gather(train), columns: dimension, labels },
    { classes: languages.length },
  );
  const guesses = [...predict(gather(test))].map((label) => languages[label] as string);
  const counts = languages.map((_, label) => labels.filter((other) => other === label).length);
  const frequent = languages[counts.indexOf(Math.max(...counts))] as string;
  const accuracyOf = (of: readonly number[], guess: (at: number) => string) =>
    of.filter((at) => guess(at) === langs[test[at] as number]).length / of.length;
  const all = test.map((_, at) => at);
  const perLanguage = languages.flatMap((lang) => {
    const own = all.filter((at) => langs[test[at] as number] === lang);
    return own.length > 0 ? [[lang, accuracyOf(own, (at) => guesses[at] as string)] as const] : [];
  });
  return {
    languages,
    train: train.length,
    test: test.length,
    accuracy: accuracyOf(all, (at) => guesses[at] as string),
    majority: accuracyOf(all, () => frequent),
    perLanguage: Object.fromEntries(perLanguage),
    converged: fit.converged,
    iterations: fit.iterations,
  };
}
