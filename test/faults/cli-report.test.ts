/** Users' mistakes in `synglot report`: exit 2, one line, and no page. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNpy } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluation, writeJson } from '../e2e/report-runs.js';
import { testFolder } from '../e2e/support.js';
import { runCli, runCliWell } from '../support/cli.js';

describe('bad input is one line and status 2', () => {
  let folder: { path: string; remove: () => Promise<void> };
  beforeAll(async () => {
    folder = await testFolder('report-input');
  });
  afterAll(() => folder.remove());

  async function refused(...args: string[]): Promise<string> {
    const output = join(folder.path, 'never.html');
    const { code, errorLines } = await runCli(['report', ...args, '--output', output]);
    expect({ code, lines: errorLines.length, written: existsSync(output) }, errorLines.join('\n')).toEqual({
      code: 2,
      lines: 1,
      written: false,
    });
    return errorLines[0]!;
  }

  test('files that are missing or something else', async () => {
    const at = (name: string) => join(folder.path, name);
    expect(await refused(at('none.json'))).toContain('none.json: no such file or folder; expected');
    expect(await refused(await writeJson(at('other.json'), { a: 1 }))).toContain('is JSON, but no report');
    await writeFile(at('cut.json'), '{"summary": {"map"');
    expect(await refused(at('cut.json'))).toContain('cut.json: is no JSON');
    await mkdir(at('empty'));
    expect(await refused(at('empty'))).toContain('empty: holds no run; expected');
    const wrong = await writeJson(at('wrong.json'), evaluation(1, 0.5, { langs: 'en' }));
    expect(await refused(wrong)).toMatch(/wrong\.json: 'langs': expected array, received string/);
    expect(await refused()).toContain("missing required argument 'run'");
  });

  test('a training folder with a broken line; a last line cut short is none', async () => {
    const run = join(folder.path, 'run');
    await mkdir(run);
    await writeFile(join(run, 'metrics.jsonl'), '{"step":1,"loss":2}\nnonsense\n{"step":2,"loss":1}\n');
    expect(await refused(run)).toContain('metrics.jsonl:2: no metrics of an update: expected {');
    await writeFile(join(run, 'metrics.jsonl'), '{"step":1,"loss":2}\n{"step":2,"lo');
    await runCliWell(['report', run, '--output', join(folder.path, 'cut.html')]);
    expect(await readFile(join(folder.path, 'cut.html'), 'utf8')).toContain('"loss":[[1,2]]');
  });

  test('embeddings without languages, or with too few, or that are no numbers', async () => {
    const npy = join(folder.path, 'e.npy');
    await writeNpy(npy, 3, 2, [new Float32Array([1, 2, 3, Number.NaN, 5, 6])]);
    expect(await refused(npy)).toMatch(
      /e\.npy: its languages are missing: write .*e\.langs\.txt with 3 lines/,
    );
    await writeFile(join(folder.path, 'e.langs.txt'), 'en\nde\n');
    expect(await refused(npy)).toContain('3 rows but 2 languages');
    await writeFile(join(folder.path, 'e.langs.txt'), 'en\nde\nen\n');
    expect(await refused(npy)).toContain('row 1, column 1 is NaN');
    const json = join(folder.path, 'e.json');
    await writeJson(json, { embeddings: { vectors: [[1, 2], [3]], langs: ['en', 'de'] } });
    expect(await refused(json)).toContain('embeddings.vectors[1] has 1 numbers, expected 2');
  });

  test('an output that cannot be written', async () => {
    const json = await writeJson(join(folder.path, 'good.json'), evaluation(1, 0.5));
    const { code, errorLines } = await runCli([
      'report',
      json,
      '--output',
      join(folder.path, 'no/such/p.html'),
    ]);
    expect([code, errorLines.length]).toEqual([2, 1]);
    expect(errorLines[0]).toContain('p.html: cannot be written (ENOENT)');
  });
});
