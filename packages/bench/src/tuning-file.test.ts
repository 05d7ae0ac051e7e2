import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTuning, writeTuning } from './tuning-file.js';

const device = { name: 'GPU', driver: '1.0' };
const choice = (kernel: string) => ({ kernel: kernel as 'add', constants: {} });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'synglot-tuning-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a table grows, and what is measured anew takes the place of the old', () => {
  const path = join(folder, 'table.json');
  expect(readTuning(path, device)).toEqual({});
  writeTuning(path, device, { one: choice('a'), two: choice('b') });
  writeTuning(path, device, { two: choice('c') });
  expect(readTuning(path, device)).toEqual({ one: choice('a'), two: choice('c') });
  expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toEqual(['device', 'driver', 'choices']);
});

test('a table is replaced whole, never written over', () => {
  const path = join(folder, 'table.json');
  writeTuning(path, device, { one: choice('a') });
  const before = openSync(path, 'r');
  writeTuning(path, device, { two: choice('b') });
  expect(Object.keys(JSON.parse(readFileSync(before, 'utf8')).choices)).toEqual(['one']);
  closeSync(before);
  expect(readdirSync(folder)).toEqual(['table.json']);
});

test('the table of another device, or none, is refused and left', () => {
  const path = join(folder, 'table.json');
  writeTuning(path, device, { one: choice('a') });
  const other = { ...device, driver: '2.0' };
  expect(() => writeTuning(path, other, {})).toThrow(
    'expected a table of GPU with 2.0 but it is of GPU, 1.0',
  );
  expect(readTuning(path, device)).toEqual({ one: choice('a') });
  writeFileSync(path, 'no JSON');
  expect(() => readTuning(path, device)).toThrow(`${path}: no table of tuned kernels`);
});
