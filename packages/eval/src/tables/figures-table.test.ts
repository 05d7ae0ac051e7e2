import { expect, test } from 'vitest';
import { compareSystems } from '../significance/compare.js';
import { sampleOf } from '../significance/sample.js';
import { csvTable, latexTable } from './export-tables.js';
import { figuresTable } from './figures-table.js';

const system = (label: string, shift: (question: number) => number) => {
  const sample = (scale: number) =>
    sampleOf(
      Array.from({ length: 10 }, (_, q) => ({
        value: scale * (0.1 + 0.01 * q + shift(q)),
        cell: 'en',
        unit: `q${q}`,
      })),
    );
  return {
    label,
    samples: new Map([
      ['AP', sample(1)],
      ['rank distance', sample(100)],
    ]),
  };
};
const systems = [
  system('base_line', () => 0),
  system('better', (q) => 0.05 + 0.001 * q),
  system('alike', (q) => (q % 2 ? 0.01 : -0.01)),
];

test('CSV quotes what must be quoted, keeps every digit, and leaves empty what does not exist', () => {
  expect(
    csvTable(
      ['a', 'b'],
      [
        ['x,"y"', 1 / 3],
        [null, undefined],
        ['two\nlines', -0.5],
      ],
    ),
  ).toBe('a,b\n"x,""y""",0.3333333333333333\n,\n"two\nlines",-0.5');
});

test('LaTeX prints as itself what means something to LaTeX', () => {
  const table = latexTable(
    ['a_b', 'α = 0.5'],
    [
      ['50% & $x {y} #1 ~^\\', '0.5 ± 0.1†'],
      ['< | >', '−3 … +4'],
      ['[1em]\n\nb', '*'],
      ['* c', ''],
    ],
    'one\ntwo',
  );
  expect(table.split('\n')).toEqual([
    '% one',
    '% two',
    '\\begin{tabular}{lr}',
    '\\toprule',
    'a\\_b & $\\alpha$ = 0.5 \\\\',
    '\\midrule',
    '50\\% \\& \\$x \\{y\\} \\#1 \\textasciitilde{}\\textasciicircum{}\\textbackslash{} & 0.5 $\\pm$ 0.1\\textsuperscript{\\dag} \\\\',
    '$<$ \\textbar{} $>$ & $-$3 \\dots{} +4 \\\\',
    // What \\ would read as its own star or length.
    '{}[1em] b & * \\\\',
    '{}* c &  \\\\',
    '\\bottomrule',
    '\\end{tabular}',
  ]);
});

test('as CSV, a line a system and figure, with the difference from the first and its p-values', () => {
  const lines = figuresTable(systems, 'csv')
    .split('\n')
    .map((line) => line.split(','));
  expect(lines[0]).toEqual(
    'system,figure,value,low,high,baseline,difference,difference_low,difference_high,p,p_adjusted'.split(','),
  );
  expect(lines.slice(1).map(([name, figure]) => `${name} ${figure}`)).toEqual(
    systems.flatMap(({ label }) => [`${label} AP`, `${label} rank distance`]),
  );
  expect(lines[1]!.slice(5)).toEqual(['', '', '', '', '', '']);
  for (const [index, expected] of compareSystems(systems).entries()) {
    const [name, figure, value, low, high, baseline, ...rest] = lines[3 + index]!;
    expect([name, figure, baseline]).toEqual([expected.system, expected.figure, 'base_line']);
    expect(Number(value)).toBe(expected.value);
    expect(Number(low)).toBeLessThan(expected.value);
    expect(Number(high)).toBeGreaterThan(expected.value);
    const { difference, low: from, high: to, p, p_adjusted: adjusted } = expected;
    expect(rest.map(Number)).toEqual([difference, from, to, p, adjusted]);
  }
});

test('as LaTeX, a dagger where the corrected p is below 0.05, and nowhere else', () => {
  const rows = figuresTable(systems, 'latex')
    .split('\n')
    .filter((line) => line.includes(' & '));
  expect(rows[0]).toBe(' & AP & rank distance \\\\');
  expect(rows[1]).toMatch(/^base\\_line & 0\.1450 \[0\.\d{4}, 0\.\d{4}\] & 14\.5 \[\d+\.\d, \d+\.\d\] \\\\$/);
  // Ten questions all one way: 2 / 2^10, times four by Holm.
  expect(rows[2]!.match(/\\dag/g)).toHaveLength(2);
  expect(rows[3]).not.toContain('dag');
  expect(figuresTable(systems.slice(0, 1), 'latex')).not.toMatch(/differs|dag/);
});

test('as text, the figures and then the comparisons', () => {
  const text = figuresTable(systems, 'table', { correction: 'none' });
  expect(text).toMatch(/^better +0\.1995 \[/m);
  expect(text).toMatch(/better - base_line +AP +0\.0545 .* 0\.0020 +0\.0020$/m);
  expect(figuresTable(systems.slice(0, 1))).not.toContain('baseline');
});
