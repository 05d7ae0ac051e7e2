import { describe, expect, test } from 'vitest';
import { Graph, rowWorkgroups, stridedWorkgroups } from './graph.js';
import { ParameterLayout } from './parameters.js';

const layout = new ParameterLayout([{ name: 'table', shape: [10, 8] }], 5 * 8 * 4);

describe('dropout', () => {
  test('sites are numbered alike whether or not anything is dropped', () => {
    const training = new Graph('t', layout, true);
    const inference = new Graph('i', layout, false);
    for (const rate of [0.1, 0, 0.5]) {
      expect(training.dropout(rate).params.dropout_site).toBe(inference.dropout(rate).params.dropout_site);
    }
    expect(training.dropout(0.1).params.dropout_site).toBe(3);
  });

  test('active only in training and at a rate above 0', () => {
    expect(new Graph('t', layout, true).dropout(0.1).active).toBe(true);
    expect(new Graph('t', layout, true).dropout(0).active).toBe(false);
    expect(new Graph('i', layout, false).dropout(0.1).active).toBe(false);
  });

  test('threshold and scale', () => {
    const { params } = new Graph('t', layout, true).dropout(0.25);
    expect(params.dropout_threshold).toBe(2 ** 30);
    expect(params.dropout_keep_scale).toBe(1 / 0.75);
    const off = new Graph('i', layout, false).dropout(0.25).params;
    expect([off.dropout_threshold, off.dropout_keep_scale]).toEqual([0, 1]);
  });
});

test('a split parameter cannot be had whole, its parts can', () => {
  const g = new Graph('t', layout, true);
  expect(() => g.parameter('table')).toThrow(/'table' is split/);
  const parts = g.parts('gradient', 'table');
  expect(parts.map(({ part, tensor }) => [part.rowBegin, tensor.name])).toEqual([
    [0, 'gradient table[0]'],
    [5, 'gradient table[1]'],
  ]);
  expect(g.parts('gradient', 'table')[1]?.tensor).toBe(parts[1]?.tensor);
});

test('workgroups: at least one, never more than a dimension allows', () => {
  const software = { type: 'cpu' } as const;
  expect(stridedWorkgroups(software, { capacity: 1, slot: 'all' }, 4)).toEqual([1]);
  expect(stridedWorkgroups(software, { capacity: 64, slot: 'all' }, 8)).toEqual([2]);
  expect(stridedWorkgroups(software, { capacity: 2 ** 20, slot: 'all' }, 1024)).toEqual([1024]);
  expect(stridedWorkgroups({ type: 'discrete-gpu' }, { capacity: 2 ** 20, slot: 'all' }, 1024)).toEqual([
    8192,
  ]);
  expect(rowWorkgroups({ capacity: 65, slot: 'all' })).toEqual([2]);
});
