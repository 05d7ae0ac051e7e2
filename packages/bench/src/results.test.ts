/** Where results go, and which commit they name where there is none. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { measuredCommit, resultsFolder, resultsRoot, writeResult } from './results.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'synglot-results-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function checkout(): void {
  mkdirSync(join(folder, 'packages/bench/src'), { recursive: true });
  writeFileSync(join(folder, 'packages/bench/package.json'), '{}');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: folder,
      stdio: 'ignore',
    });
  git('init');
  git('add', '.');
  git('commit', '-m', 'first');
}

describe('the commit of a measurement', () => {
  const unknown = { commit: null, uncommitted_changes: null };

  test('is that of the checkout, with whether its sources are edited', () => {
    checkout();
    expect(measuredCommit(folder)).toEqual({
      commit: expect.stringMatching(/^[0-9a-f]{4,}$/),
      uncommitted_changes: false,
    });
    writeFileSync(join(folder, 'packages/bench/src/edited.ts'), '');
    expect(measuredCommit(folder)).toMatchObject({ uncommitted_changes: true });
  });

  test('is not that of the project that the package is installed in', () => {
    checkout();
    rmSync(join(folder, 'packages'), { recursive: true });
    expect(measuredCommit(folder)).toEqual(unknown);
  });

  test('is unknown without git, and that is no error', () => {
    checkout();
    vi.stubEnv('PATH', folder);
    expect(measuredCommit(folder)).toEqual(unknown);
  });

  test('is what a bundle carries', () => {
    expect(measuredCommit(folder, 'abc123+')).toEqual({ commit: 'abc123', uncommitted_changes: true });
    expect(measuredCommit(folder, 'abc123')).toEqual({ commit: 'abc123', uncommitted_changes: false });
  });
});

test('SYNGLOT_RESULTS takes results elsewhere than to the committed ones', () => {
  vi.stubEnv('SYNGLOT_RESULTS', join(folder, 'mine'));
  const path = writeResult({ id: 'gpu', driver: 'any' }, 'kernels', { ops: [] });
  expect(path).toBe(join(folder, 'mine/kernels.json'));
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ops: [] });
});

test('a result that cannot be written is printed, and the mistake is one line', () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  vi.stubEnv('SYNGLOT_RESULTS', join(file, 'results'));
  const write = () => writeResult({ id: 'gpu', driver: 'any' }, 'kernels', { ops: [1] });
  expect(write).toThrow(/kernels\.json: cannot be written \(ENOTDIR.*SYNGLOT_RESULTS names another folder$/);
  expect(JSON.parse(printed.mock.calls.join())).toEqual({ ops: [1] });
  printed.mockRestore();
});

test('an installed package writes into the current folder', () => {
  checkout();
  expect(resultsRoot(folder)).toBe(join(folder, 'packages/bench/results'));
  rmSync(join(folder, 'packages'), { recursive: true });
  expect(resultsRoot(folder)).toBe(join(process.cwd(), 'results'));
});

test('another Mesa than 25 has a folder of its own', () => {
  expect(resultsFolder({ id: 'lavapipe', driver: 'Mesa 25.0.7' })).toBe('lavapipe');
  expect(resultsFolder({ id: 'lavapipe', driver: 'Mesa 26.1.0' })).toBe('lavapipe-26');
  expect(resultsFolder({ id: 'gpu', driver: 'Mesa 26.1.0' })).toBe('gpu');
  expect(resultsFolder({ id: 'gpu:1', driver: '570.1' })).toBe('gpu');
});
