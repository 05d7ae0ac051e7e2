import { expect, test } from 'vitest';
import { principalPlane } from './pca.js';

/** Seeded numbers around zero, roughly normal. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

test('finds the two directions along which seeded points were spread, in 40 dimensions', () => {
  const [rows, columns] = [500, 40];
  const normal = normals(3);
  const data = new Float32Array(rows * columns);
  const spread: [number, number][] = [];
  for (let row = 0; row < rows; row++) {
    const [a, b] = [9 * normal(), 3 * normal()];
    spread.push([a, b]);
    for (let column = 0; column < columns; column++) {
      // Two orthonormal directions: even columns, odd columns; a mean of 5.
      const direction = column % 2 === 0 ? a : b;
      data[row * columns + column] = 5 + direction / Math.sqrt(columns / 2) + 0.1 * normal();
    }
  }
  const { points, explained } = principalPlane(data, rows, columns);
  for (const axis of [0, 1] as const) {
    const along = spread.map((pair) => pair[axis]);
    const found = spread.map((_, row) => points[row * 2 + axis]!);
    expect(Math.abs(correlation(along, found))).toBeGreaterThan(0.99);
  }
  expect(explained[0]).toBeGreaterThan(0.8);
  expect(explained[0] + explained[1]).toBeGreaterThan(0.99);
  expect(explained[0] + explained[1]).toBeLessThan(1);
  expect(principalPlane(data, rows, columns).points).toEqual(points);
});

test('a known case: four corners of a rectangle', () => {
  const { points, explained } = principalPlane([4, 1, 4, -1, -4, 1, -4, -1], 4, 2);
  expect([...points].map((value) => Math.abs(value))).toEqual(
    [4, 1, 4, 1, 4, 1, 4, 1].map((value) => expect.closeTo(value, 9)),
  );
  expect(explained[0]).toBeCloseTo(16 / 17, 9);
  expect(explained[1]).toBeCloseTo(1 / 17, 9);
});

test('points that are all alike, or one, lie at the origin', () => {
  expect([...principalPlane([2, 3, 2, 3, 2, 3], 3, 2).points]).toEqual([0, 0, 0, 0, 0, 0]);
  expect([...principalPlane([7, 8, 9], 1, 3).points]).toEqual([0, 0]);
  expect(principalPlane([1, 2, 4], 3, 1).points.filter((_, i) => i % 2 === 1)).toEqual(new Float64Array(3));
});

function correlation(x: number[], y: number[]): number {
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - mx) * (y[i]! - my);
    xx += (x[i]! - mx) ** 2;
    yy += (y[i]! - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}
