/** `synglot demo` with few steps: every mode runs and the report holds what the table shows. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, runCliWell } from '../support/cli.js';
import { testFolder } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  folder = await testFolder('demo');
});
afterAll(() => folder.remove());

interface Report {
  readonly languages: string[];
  readonly chance: { readonly map: Record<string, number>; readonly rank_distance: number };
  readonly runs: readonly {
    readonly mode: string;
    readonly seed: number;
    readonly map: Record<string, number>;
    readonly rank_distance: number;
  }[];
}

describe('synglot demo', () => {
  it('trains each mode and reports it', async () => {
    const output = join(folder.path, 'a demo');
    const { stdout } = await runCliWell([
      'demo',
      ...['--steps', '3', '--batch-size', '16', '--output', output],
    ]);
    const report = JSON.parse(await readFile(join(output, 'report.json'), 'utf8')) as Report;
    const modes = ['monolingual', 'cross-lingual', 'hybrid'];
    expect(report.runs.map(({ mode, seed }) => `${mode} ${seed}`)).toEqual(modes.map((mode) => `${mode} 0`));
    expect(report.languages).toHaveLength(11);
    for (const { map, rank_distance } of [report.chance, ...report.runs]) {
      expect(Object.keys(map).sort()).toEqual(['cross_lingual', 'monolingual', 'multilingual']);
      for (const value of Object.values(map)) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThan(1);
      }
      expect(rank_distance).toBeGreaterThan(0);
    }
    const trained = new Set(report.runs.map(({ map }) => JSON.stringify(map)));
    expect(trained.size, 'every run is another model').toBe(report.runs.length);
    for (const text of ['chance', 'monolingual', 'cross-lingual', 'hybrid', 'report.json']) {
      expect(stdout).toContain(text);
    }
  });

  it('has help that names its options, and every command has help', async () => {
    const { stdout } = await runCliWell(['demo', '--help']);
    for (const option of ['--steps', '--seeds', '--batch-size', '--output', '--device', '--executor']) {
      expect(stdout).toContain(option);
    }
    const { stdout: top } = await runCliWell(['--help']);
    for (const command of ['demo', 'train', 'eval', 'encode', 'devices']) {
      expect(top).toContain(command);
      const help = await runCli([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain(`Usage: synglot ${command}`);
      expect(help.errorLines).toEqual([]);
      // What only the repository has is of no use to those who installed the package.
      expect(help.stdout).not.toContain('node_modules');
    }
  });
});
