/** `synglot tune`: a table for the device, which runs use and keep; a file that is none is refused. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, runCliWell } from '../support/cli.js';
import { saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

test('a run is trained with the table and keeps it; a broken table is one line', async () => {
  const { path, remove } = await testFolder('tune');
  try {
    const model = join(path, 'model');
    await saveTinyModel(model);
    const table = join(path, 'table.json');
    const tuned = await runCliWell([
      'tune',
      '--model',
      model,
      '--tokens',
      '64',
      '--pairs',
      '4',
      '--output',
      table,
    ]);
    expect(tuned.stdout).toMatch(/matmul_nt_bias .* tried/);
    expect(tuned.stdout).toMatch(/attention_forward .* tried/);
    const { choices, ...device } = JSON.parse(await readFile(table, 'utf8'));
    const kinds = Object.keys(choices).length;
    expect(kinds).toBeGreaterThan(3);
    expect(tuned.stdout).toMatch(new RegExp(`table\\.json written: \\d+ of ${kinds} kinds .*\n$`));

    // What another model's table has stays; another device's table does not.
    const other = { kernel: 'matmul_nt', constants: { WORKGROUP_X: 8 } };
    const added = join(path, 'added.json');
    const foreign = join(path, 'foreign.json');
    await writeFile(added, JSON.stringify({ ...device, choices: { other } }));
    await writeFile(foreign, JSON.stringify({ ...device, driver: 'older', choices: { other } }));
    for (const [file, more] of [
      [added, 1],
      [foreign, 0],
    ] as const) {
      await runCliWell(['tune', '--model', model, '--tokens', '64', '--pairs', '4', '--output', file]);
      const kept = JSON.parse(await readFile(file, 'utf8'));
      expect(Object.keys(kept.choices).length).toBe(kinds + more);
      expect(kept).toMatchObject(device);
    }

    await writeJsonl(join(path, 'pairs.jsonl'), tinyPairs(12));
    await writeFile(
      join(path, 'run.yaml'),
      `model: ${model}\ndata: [{ format: pairs-jsonl, path: ${join(path, 'pairs.jsonl')} }]\nsampling: { mode: multilingual, batch_size: 4 }\ntraining: { steps: 2 }\n`,
    );
    const train = ['train', join(path, 'run.yaml'), '--output', join(path, 'run')];
    await runCliWell(train, { env: { SYNGLOT_TUNING: table } });
    expect(JSON.parse(await readFile(join(path, 'run/tuning.json'), 'utf8')).choices).toEqual(choices);

    // A start that fails with the device open leaves a table, which is not that of the run that begins afterwards.
    const kept = join(path, 'failed/tuning.json');
    const again = [...train.slice(0, 2), '--output', join(path, 'failed')];
    const failing = ['--set', 'mining={ max_score: -0.99 }'];
    for (const more of [[], ['--resume']]) {
      const failed = await runCli([...again, ...failing, ...more], { env: { SYNGLOT_TUNING: table } });
      expect(failed.errorLines.at(-1)).toMatch(/mining leaves no negative/);
      expect(JSON.parse(await readFile(kept, 'utf8')).choices).toEqual(choices);
    }
    await runCliWell([...again, '--resume'], { env: { SYNGLOT_TUNING: 'off' } });
    await expect(readFile(kept)).rejects.toThrow('ENOENT');
    // What a run began with is what it goes on with: this file is read.
    await writeFile(kept, '{}');
    const resumed = await runCli([...again, '--resume'], { env: { SYNGLOT_TUNING: 'off' } });
    expect(resumed.errorLines.at(-1)).toMatch(/failed\/tuning\.json: no table of tuned kernels/);

    const folder = await runCli(['tune', '--model', model, '--output', path]);
    expect(folder.code).toBe(2);
    expect(folder.stdout).toBe('');
    expect(folder.errorLines.at(-1)).toMatch(/^synglot: .*: cannot be written \(EISDIR\)$/);

    await writeFile(table, '{"choices": {"x": 1}}');
    const broken = await runCli(['train', join(path, 'run.yaml'), '--output', join(path, 'other')], {
      env: { SYNGLOT_TUNING: table },
    });
    expect(broken.code).toBe(2);
    expect(broken.errorLines.at(-1)).toMatch(/table\.json: no table of tuned kernels/);
  } finally {
    await remove();
  }
});
