/** What `synglot encode` reads and writes: mistakes in one line, and what is no mistake. */
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCliWell, startCli } from '../support/cli.js';
import { expectMistake, makeWorkplace, type Workplace } from './cli-support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('encode');
});
afterAll(() => place.remove());

const inPlace = (...parts: string[]) => join(place.path, ...parts);

const encode = (input: string, output: string) =>
  ['encode', '--model', place.model, '--input', inPlace(input), '--output', output] as const;

it('texts that are missing, or empty', async () => {
  await writeFile(inPlace('empty.txt'), '');
  await expectMistake(encode('none.txt', inPlace('x.npy')), [
    /--input \S+none\.txt: there is no such file or folder; check the path/,
  ]);
  await expectMistake(encode('empty.txt', inPlace('x.npy')), [
    /--input \S+empty\.txt: is empty; expected one text per line/,
  ]);
});

it('into a folder that is not there is refused before anything is encoded', async () => {
  await writeFile(inPlace('texts.txt'), 'one\ntwo\n');
  const output = inPlace('none', 'e.npy');
  await expectMistake(encode('texts.txt', output), [output, inPlace('none'), 'create it first']);
  await expectMistake(encode('texts.txt', place.path), [place.path, 'a folder; name a file in it']);
});

it('a table without the name of a column', async () => {
  await writeFile(inPlace('TABLE.CSV'), 'query,passage\na,b\n');
  await expectMistake(encode('TABLE.CSV', inPlace('e.npy')), ['TABLE.CSV: has columns', '--column']);
});

it('text that is not UTF-8', async () => {
  await writeFile(inPlace('latin.txt'), Buffer.from('one\ncaf\u00e9\n', 'latin1'));
  await expectMistake(encode('latin.txt', inPlace('e.npy')), [/latin\.txt:2: not UTF-8/]);
});

it('drops a byte order mark', async () => {
  await writeFile(inPlace('mark.txt'), '\ufeffone\none\n');
  await runCliWell(encode('mark.txt', inPlace('mark.npy')));
  const vectors = (await readFile(inPlace('mark.npy'))).subarray(128);
  expect(vectors.subarray(0, vectors.length / 2)).toEqual(vectors.subarray(vectors.length / 2));
});

it('more texts than there is memory for', async () => {
  const words = ['one', 'two and two', 'three'];
  await writeFile(inPlace('words.txt'), `${words.join('\n')}\n`);
  await runCliWell(encode('words.txt', inPlace('words.npy')));
  const file = await open(inPlace('wide.txt'), 'w');
  const room = ' '.repeat(3 * 2 ** 20);
  for (let line = 0; line < 12; line++) await file.write(`${words[line % 3]}${room}\n`);
  await file.close();
  const env = { NODE_OPTIONS: '--max-old-space-size=40' };
  const { stdout } = await runCliWell(encode('wide.txt', inPlace('wide.npy')), { env });
  expect(stdout).toMatch(/wide\.npy: 12 × \d+\n$/);
  const values = async (name: string) => (await readFile(inPlace(name))).subarray(128);
  const rows = await values('words.npy');
  expect((await values('wide.npy')).equals(Buffer.concat(Array.from({ length: 4 }, () => rows)))).toBe(true);
});

it('Ctrl-C leaves nothing of what is written', async () => {
  await writeFile(inPlace('many.txt'), 'some words\n'.repeat(200_000));
  const { child, done } = startCli(encode('many.txt', inPlace('many.npy')));
  const written = async () => (await readdir(place.path)).filter((name) => name.startsWith('many.npy'));
  while ((await written()).length === 0 && child.exitCode === null) await setTimeout(50);
  child.kill('SIGINT');
  const { code, errorLines } = await done;
  expect({ code, last: errorLines.at(-1) }).toEqual({ code: 130, last: 'stopped; no file was written' });
  expect(await written()).toEqual([]);
});

it.runIf(process.platform === 'linux')('a file that changes while it is read', async () => {
  // Which files the process has mapped: more of them once there is a device.
  const args = [
    'encode',
    '--model',
    place.model,
    '--input',
    '/proc/self/maps',
    '--output',
    inPlace('maps.npy'),
  ];
  await expectMistake(args, ['/proc/self/maps: changed while it was read; run it again'], {
    late: true,
  });
  expect((await readdir(place.path)).filter((name) => name.startsWith('maps'))).toEqual([]);
});
