/** Mistakes in the folder of a run: whose it is, what was resumed, and what is damaged; nothing in it is lost. */
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCliWell } from '../support/cli.js';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('run-folder');
});
afterAll(() => place.remove());

const inPlace = (...parts: string[]) => join(place.path, ...parts);

it('the folder of a run holds another run; a resumed run has another configuration; its checkpoints are damaged', async () => {
  const config = await writeConfig(place, 'first', { checkpoint: '{ every: 1 }' });
  const output = inPlace('run-first');
  const { errorLines } = await runCliWell(['train', config, '--output', output, '--resume']);
  expect(errorLines).toContainEqual(
    `no checkpoint in ${join(output, 'checkpoints')} yet: starting from the beginning`,
  );
  await expectMistake(['train', config, '--output', output], [output, '--resume', 'another --output']);

  const changed = await writeConfig(place, 'changed', { sampling: '{ batch_size: 6 }' });
  await expectMistake(
    ['train', changed, '--output', output, '--resume'],
    [join(output, 'config.json'), 'sampling.batch_size: 4 then, 6 now', 'another --output'],
  );

  const newest = join(output, 'checkpoints', 'step-000002');
  const resume = ['train', config, '--output', output, '--resume'];
  const damage = async (name: string, change: (file: string) => Promise<void>) => {
    const file = join(newest, name);
    await change(file);
    await expectMistake(resume, [file, 'damaged since it was written', `delete ${newest}`]);
  };
  await damage('trainer.json', (file) => truncate(file, 10));
  await damage('optimizer.safetensors', (file) => truncate(file, 5000));
  await damage('model/model.safetensors', async (file) => {
    const bytes = await readFile(file);
    bytes[5000]! ^= 1;
    await writeFile(file, bytes);
  });
  await rm(newest, { recursive: true });
  await runCliWell(resume);
});

it('the folder of a run is a file', async () => {
  await writeFile(inPlace('file'), '');
  const config = await writeConfig(place, 'file');
  await expectMistake(
    ['train', config, '--output', inPlace('file')],
    [inPlace('file'), 'a part of the path is a file, not a folder: choose another path'],
  );
  await expectMistake(['demo', '--steps', '1', '--output', inPlace('file')], [inPlace('file')]);
});

it('the folder of a run has not been touched by one that was refused', async () => {
  const output = inPlace('run-refused');
  const refused = await writeConfig(place, 'refused', { sampling: '{ batch_size: 64 }' });
  await expectMistake(['train', refused, '--output', output], ['batch of 64']);
  await runCliWell(['train', await writeConfig(place, 'refused'), '--output', output]);
});
