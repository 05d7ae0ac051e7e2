import { expect, test } from 'vitest';
import { unrollLoops } from './unroll.js';

const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim();

test('a marked loop becomes one block per turn, its variable a literal', () => {
  const source = 'a; for (var i = 0u; i < COUNT; i++) { //@ unroll\n x[i] = y[i * 4u + ii]; } b;';
  expect(squeeze(unrollLoops(source, { COUNT: 2 }))).toBe(
    'a; { x[0u] = y[0u * 4u + ii]; } { x[1u] = y[1u * 4u + ii]; } b;',
  );
});

test('loops without the mark stay', () => {
  const source = 'for (var i = 0u; i < COUNT; i++) { x(i); }';
  expect(unrollLoops(source, { COUNT: 2 })).toBe(source);
});

test('blocks inside the body belong to it, and nested marked loops unroll too', () => {
  const source = [
    'for (var i = 0u; i < 2; i++) { //@ unroll',
    '  for (var j = 0u; j < N; j++) { //@ unroll',
    '    if (i < j) { x(i, j); }',
    '  }',
    '}',
    'end();',
  ].join('\n');
  const text = squeeze(unrollLoops(source, { N: 2 }));
  expect(text.match(/x\(\du, \du\)/g)).toEqual(['x(0u, 0u)', 'x(0u, 1u)', 'x(1u, 0u)', 'x(1u, 1u)']);
  expect(text.endsWith('end();')).toBe(true);
  expect(text.split('{').length).toBe(text.split('}').length);
});

test('several loops in a row each unroll over their own count', () => {
  const loop = (count: string, body: string) =>
    `for (var i = 0u; i < ${count}; i++) { //@ unroll\n ${body} }`;
  const text = unrollLoops(`${loop('A', 'a(i);')}\n${loop('B', 'b(i);')}`, { A: 3, B: 1 });
  expect(text.match(/[ab]\(\du\)/g)).toEqual(['a(0u)', 'a(1u)', 'a(2u)', 'b(0u)']);
});

test('zero turns leave nothing', () => {
  expect(unrollLoops('for (var i = 0u; i < N; i++) { //@ unroll\n x(i); }', { N: 0 })).not.toContain('x(');
});

test('an unknown count and a missing brace are errors', () => {
  expect(() => unrollLoops('for (var i = 0u; i < N; i++) { //@ unroll\n }', {})).toThrow(/'N'/);
  expect(() => unrollLoops('for (var i = 0u; i < 2; i++) { //@ unroll\n x();', {})).toThrow(/closing brace/);
});
