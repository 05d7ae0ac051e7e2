/** Multinomial logistic regression, trained to convergence: the linear probe. Plain TypeScript, no device. */
import { type Minimum, minimise } from './minimise.js';

/** Rows of numbers, each with a class. */
export interface LabelledRows {
  /** [rows, columns] */
  readonly values: Float32Array;
  readonly columns: number;
  /** Class of each row, from 0. */
  readonly labels: Uint32Array;
}

export interface LogisticRegressionOptions {
  readonly classes: number;
  /** Inverse strength of the penalty on the weights, as scikit-learn's `C`. Default 1. */
  readonly c?: number;
}

export interface LogisticRegression {
  /** Class of each row of a matrix with the same columns. */
  predict(values: Float32Array): Uint32Array;
  /** Mean cross-entropy plus penalty at the end, and how it was reached. */
  readonly fit: Pick<Minimum, 'value' | 'iterations' | 'converged'>;
}

/**
 * Minimises mean cross-entropy + ‖W‖² / (2 · C · rows); biases are free. The columns are centred and scaled to
 * variance 1 first, so that the penalty does not depend on the length of embeddings.
 *
 * The objective of scikit-learn's LogisticRegression after a StandardScaler.
 */
export function logisticRegression(
  rows: LabelledRows,
  options: LogisticRegressionOptions,
): LogisticRegression {
  const { columns, labels } = rows;
  const { classes, c = 1 } = options;
  const scaler = standardiser(rows.values, columns);
  const x = scaler(rows.values);
  const penalty = 1 / (c * labels.length);
  const { x: weights, ...fit } = minimise(
    (w, gradient) => objective(x, labels, columns, classes, penalty, w, gradient),
    new Float64Array(classes * (columns + 1)),
  );
  return {
    fit,
    predict(values) {
      const scaled = scaler(values);
      return Uint32Array.from({ length: values.length / columns }, (_, row) => {
        const scores = logits(scaled, row, columns, classes, weights);
        return scores.indexOf(Math.max(...scores));
      });
    },
  };
}

/** (x - mean) / deviation, column by column; a column without variance, but for rounding, becomes 0. */
function standardiser(values: Float32Array, columns: number): (values: Float32Array) => Float64Array {
  const rows = values.length / columns;
  const mean = new Float64Array(columns);
  const square = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) mean[i % columns]! += (values[i] as number) / rows;
  for (let i = 0; i < values.length; i++) {
    square[i % columns]! += ((values[i] as number) - (mean[i % columns] as number)) ** 2 / rows;
  }
  // The bound is scikit-learn's.
  const scale = square.map((variance, i) =>
    variance > (rows * Number.EPSILON * (mean[i] as number)) ** 2 ? 1 / Math.sqrt(variance) : 0,
  );
  return (others) =>
    Float64Array.from(
      others,
      (value, i) => (value - (mean[i % columns] as number)) * (scale[i % columns] as number),
    );
}

/** A row's logits; weights are [classes, columns], then a bias for each class. */
function logits(
  x: Float64Array,
  row: number,
  columns: number,
  classes: number,
  weights: Float64Array,
): number[] {
  return Array.from({ length: classes }, (_, label) => {
    let sum = weights[classes * columns + label] as number;
    for (let i = 0; i < columns; i++) {
      sum += (x[row * columns + i] as number) * (weights[label * columns + i] as number);
    }
    return sum;
  });
}

function objective(
  x: Float64Array,
  labels: Uint32Array,
  columns: number,
  classes: number,
  penalty: number,
  weights: Float64Array,
  gradient: Float64Array,
): number {
  const rows = labels.length;
  gradient.fill(0);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const scores = logits(x, row, columns, classes, weights);
    const most = Math.max(...scores);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
    const label = labels[row] as number;
    value += (most + Math.log(total) - (scores[label] as number)) / rows;
    for (let other = 0; other < classes; other++) {
      const probability = Math.exp((scores[other] as number) - most) / total;
      const error = (probability - Number(other === label)) / rows;
      for (let i = 0; i < columns; i++) {
        gradient[other * columns + i]! += error * (x[row * columns + i] as number);
      }
      gradient[classes * columns + other]! += error;
    }
  }
  for (let i = 0; i < classes * columns; i++) {
    const weight = weights[i] as number;
    value += (penalty / 2) * weight * weight;
    gradient[i]! += penalty * weight;
  }
  return value;
}
