import { expect, test } from 'vitest';
import { seeded } from '../testing/random.js';
import { languageProbe } from './language-probe.js';
import { logisticRegression } from './logistic-regression.js';
import { minimise } from './minimise.js';

test('L-BFGS finds the minimum of a badly scaled quadratic', () => {
  const scales = [1, 10, 100, 1000];
  const { x, converged } = minimise(
    (at, gradient) =>
      scales.reduce((sum, scale, i) => {
        gradient[i] = scale * (at[i]! - i);
        return sum + (scale * (at[i]! - i) ** 2) / 2;
      }, 0),
    new Float64Array(4),
  );
  expect(converged).toBe(true);
  x.forEach((value, i) => {
    expect(value).toBeCloseTo(i, 6);
  });
});

/** sin of the index: the same numbers in any language. See fixtures of the test below. */
const values = Float32Array.from({ length: 60 * 4 }, (_, i) => Math.sin(1.7 * i + 0.3 * (i % 7)));
const labels = Uint32Array.from({ length: 60 }, (_, row) =>
  values[row * 4]! + 0.5 * values[row * 4 + 1]! > 0.4 ? 2 : values[row * 4 + 2]! > 0 ? 1 : 0,
);

test('the objective at its minimum is that of scikit-learn', () => {
  const { fit, predict } = logisticRegression({ values, columns: 4, labels }, { classes: 3 });
  expect(fit.converged).toBe(true);
  // scikit-learn 1.9.1: StandardScaler, LogisticRegression(C=1, tol=1e-10, max_iter=10000).
  expect(fit.value).toBeCloseTo(0.303852688, 7);
  const right = predict(values).filter((label, row) => label === labels[row]).length;
  expect(right).toBe(59);
});

test('a column that is constant in training says nothing, whatever it is later', () => {
  const withConstant = (constant: number) =>
    Float32Array.from({ length: 60 * 5 }, (_, i) =>
      i % 5 === 4 ? constant : values[Math.floor(i / 5) * 4 + (i % 5)]!,
    );
  const plain = logisticRegression({ values, columns: 4, labels }, { classes: 3 });
  // Its mean over 60 rows is not 0.1, but for the last bits.
  const { fit, predict } = logisticRegression(
    { values: withConstant(0.1), columns: 5, labels },
    { classes: 3 },
  );
  expect(fit.value).toBeCloseTo(plain.fit.value, 9);
  expect([...predict(withConstant(0.2))]).toEqual([...plain.predict(values)]);
});

const count = 120;
function rowsOf(shift: number) {
  const random = seeded(5);
  const langs = Array.from({ length: count * 3 }, (_, i) => ['de', 'en', 'fi'][i % 3] as string);
  return {
    vectors: Float32Array.from({ length: count * 3 * 8 }, (_, i) => {
      const [row, column] = [Math.floor(i / 8), i % 8];
      return 2 * random() - 1 + (column === row % 3 ? shift : 0);
    }),
    dimension: 8,
    langs,
    parallelIds: langs.map((_, i) => `text ${Math.floor(i / 3)}`),
  };
}

test('a probe tells languages that embeddings tell, and no others', () => {
  const apart = languageProbe(rowsOf(6));
  expect(apart.accuracy).toBe(1);
  expect(apart.perLanguage).toEqual({ de: 1, en: 1, fi: 1 });
  expect(apart.majority).toBeCloseTo(1 / 3, 12);
  expect(apart.train + apart.test).toBe(count * 3);
  expect(apart.test % 3).toBe(0);
  const mixed = languageProbe(rowsOf(0));
  expect(mixed.accuracy).toBeGreaterThan(0.15);
  expect(mixed.accuracy).toBeLessThan(0.5);
});

test('embeddings of a run that diverged are a mistake, and not free of language', () => {
  const rows = rowsOf(6);
  rows.vectors[8 * 7 + 2] = Number.NaN;
  expect(() => languageProbe(rows)).toThrow(
    'embedding of "text 7": value 2 is NaN, expected a finite number',
  );
});

test('one language is a mistake', () => {
  const rows = rowsOf(0);
  expect(() => languageProbe({ ...rows, langs: rows.langs.map(() => 'en') })).toThrow(
    /two languages.* 1 languages/,
  );
  expect(() => languageProbe(rows, { test: 0 })).toThrow(/and 0; give more data/);
});
