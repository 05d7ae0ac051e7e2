/**
 * A command must not overwrite what its user has: the data that it reads, another run that is under way, a folder with
 * more in it than a model. And it writes the format that the file's name says.
 */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, runCliWell, startCli } from '../support/cli.js';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('outputs');
});
afterAll(() => place.remove());

const inPlace = (...names: string[]) => join(place.path, ...names);

describe('a run', () => {
  it('that is under way keeps its folder for itself', async () => {
    const config = await writeConfig(place, 'long', { training: '{ steps: 100000 }' });
    const output = inPlace("the run's folder");
    const device = ['--device', process.env.SYNGLOT_DEVICE ?? 'swiftshader'];
    const settings = ['--set', 'data.0.langs=[en, de]', ...device];
    const { child, done } = startCli(['train', config, '--output', output, ...settings]);
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', (text: string) => text.includes('step 10/') && resolve());
    });
    for (const more of [[], ['--resume']]) {
      await expectMistake(
        ['train', config, '--output', output, ...more],
        [`${output}: process ${child.pid} is training into it`, 'another --output'],
      );
    }
    child.kill('SIGINT');
    const { code, stdout } = await done;
    expect(code).toBe(130);
    // What is said to continue it is what a shell would need.
    const words = stdout.slice(stdout.indexOf('synglot train')).trim();
    const again = await promisify(execFile)('bash', ['-c', `printf '%s\\n' ${words}`]);
    expect(again.stdout.trim().split('\n')).toEqual([
      ...['synglot', 'train', config, '--resume', '--output', output],
      ...settings,
    ]);
    const lines = (await readFile(join(output, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).step)).toEqual(lines.map((_, index) => index + 1));
    expect((await readdir(output)).sort()).toEqual(['checkpoints', 'config.json', 'metrics.jsonl']);
  });
});

it.skipIf(process.platform === 'win32')('Ctrl-C while the data are read ends a run at once', async () => {
  const pipe = inPlace('pipe.jsonl');
  await promisify(execFile)('mkfifo', [pipe]);
  const config = await writeConfig(place, 'read', { data: `[{ format: pairs-jsonl, path: ${pipe} }]` });
  const { child, done } = startCli(['train', config, '--output', inPlace('stopped')], { timeoutMs: 60_000 });
  // Opens once the command reads from the other end, which then waits for a line.
  const end = await open(pipe, 'w');
  child.kill('SIGINT');
  const { signal, errorLines } = await done;
  await end.close();
  expect({ signal, errorLines }).toEqual({ signal: 'SIGINT', errorLines: [] });
});

it.skipIf(process.platform === 'win32')('Ctrl-C while the data are read ends a sweep', async () => {
  const pipe = inPlace('endless.jsonl');
  await promisify(execFile)('mkfifo', [pipe]);
  const config = await writeConfig(place, 'endless', {
    data: `[{ format: pairs-jsonl, path: ${pipe} }]`,
    hold_out: '{ fraction: 0.5 }',
  });
  const { child, done } = startCli(['sweep', config, '--seeds', '2', '--output', inPlace('endless')]);
  const pairs = await readFile(place.pairs, 'utf8');
  const endless = (async function* () {
    for (let written = 0; ; written += 1) {
      // By then it has read some.
      if (written === 100) child.kill('SIGINT');
      yield pairs;
    }
  })();
  await expect(pipeline(endless, createWriteStream(pipe))).rejects.toMatchObject({ code: 'EPIPE' });
  const { code, stdout } = await done;
  expect({ code, stdout }).toEqual({
    code: 130,
    stdout: 'stopped after 0 of 2 runs; the same command continues\n',
  });
});

it('a report or a run does not take the place of what is read', async () => {
  const config = await writeConfig(place, 'read', { hold_out: '{ fraction: 0.5 }' });
  const report = inPlace('read.json');
  const evaluation = ['eval', config, '--model', place.model, '--json'];
  await runCliWell([...evaluation, report]);
  for (const [option, output, ...command] of [
    ['--json', config, 'eval', config, '--model', place.model],
    ['--json', config, 'probe', config, '--model', place.model],
    ['--json', place.pairs, 'probe', '--data', place.pairs, '--model', place.model],
    ['--save-run', place.pairs, 'search', '--store', place.path, '--queries', place.pairs, '--model', 'm'],
    ['--output', report, 'report', report],
  ] as const) {
    const before = await readFile(output, 'utf8');
    const message = `${output}: is read, and would be written over; choose another ${option}`;
    await expectMistake([...command, option, output], [message]);
    expect(await readFile(output, 'utf8')).toBe(before);
  }
});

describe('mine', () => {
  it('does not write over its data or its configuration, by whatever name', async () => {
    const config = await writeConfig(place, 'mine', {
      data: `[{ format: pairs-jsonl, path: ${inPlace('pair*.jsonl')} }]`,
    });
    const before = await readFile(place.pairs, 'utf8');
    const other = join(place.path, '..', place.path.split('/').at(-1)!, 'pairs.jsonl');
    for (const output of [place.pairs, other]) {
      await expectMistake(
        ['mine', config, '--output', output],
        ['would be written over', 'another --output'],
      );
    }
    expect(await readFile(place.pairs, 'utf8')).toBe(before);
  });

  it('packs what ends in .gz, and writes nothing else than JSONL', async () => {
    const args = ['mine', '--model', place.model, '--data', place.pairs, '--negatives', '2', '--output'];
    await runCliWell([...args, inPlace('plain.jsonl')]);
    await runCliWell([...args, inPlace('packed.jsonl.gz')]);
    expect(
      gunzipSync(await readFile(inPlace('packed.jsonl.gz'))).equals(await readFile(inPlace('plain.jsonl'))),
    ).toBe(true);
    await expectMistake(
      [...args, inPlace('mined.tsv')],
      ['mined.tsv: JSONL is written; end its name in .jsonl'],
    );
  });
});

describe('a model', () => {
  it('takes the place of no folder that holds something else, and not of the model that it is made from', async () => {
    const trim = ['vocabulary', 'trim', '--model', place.model, '--data', place.pairs, '--output'];
    const folder = inPlace('precious');
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.tex'), 'all of it');
    await expectMistake(
      [...trim, folder],
      [`${folder}: holds more than a model (thesis.tex)`, 'another folder'],
    );
    expect(await readFile(join(folder, 'thesis.tex'), 'utf8')).toBe('all of it');
    await expectMistake([...trim, place.model], [`${place.model}: is read, and would be written over`]);
    // An earlier result may be made again.
    await runCliWell([...trim, inPlace('trimmed')]);
    await runCliWell([...trim, inPlace('trimmed')]);
  });
});

describe('a place that cannot take what is written is told of before the work', () => {
  // Names of 255 bytes are the longest; what is written beside its place has a longer one.
  const long = 'x'.repeat(240);
  const mine = (): string[] => ['mine', '--model', place.model, '--data', place.pairs, '--output'];
  const probe = (): string[] => ['probe', '--model', place.model, '--data', place.pairs, '--json'];

  it('a name that is too long', async () => {
    const config = await writeConfig(place, 'held', { hold_out: '{ fraction: 0.5 }' });
    const commands = [
      ['encode', '--model', place.model, '--input', place.pairs, '--output'],
      mine(),
      probe(),
      ['eval', config, '--model', place.model, '--json'],
      ['merge', '--model', 'no model', '--output'],
      ['vocabulary', 'trim', '--model', 'no model', '--keep-text', place.pairs, '--output'],
    ];
    for (const command of commands) {
      const output = inPlace(command[0] === 'mine' ? `${long}.jsonl` : long);
      await expectMistake([...command, output], [output, 'too long: choose a shorter one']);
    }
    const deep = inPlace(`${long}${long}`, 'run');
    await expectMistake(
      ['distill-teacher', config, '--teacher', place.model, '--output', deep],
      [deep, 'too long: choose a shorter one'],
    );
  });

  it('a folder, or a device, in place of a file; a file in place of a folder', async () => {
    const config = await writeConfig(place, 'kinds', { hold_out: '{ fraction: 0.5 }' });
    const evaluation = ['eval', config, '--model', place.model];
    await expectMistake([...evaluation, '--json', place.path], [`${place.path}: a folder`]);
    await expectMistake([...probe(), place.path], [`${place.path}: a folder`]);
    await expectMistake([...probe(), '/dev/null'], ['/dev/null: not a file']);
    for (const option of ['--save-run', '--save-embeddings']) {
      await expectMistake(
        [...evaluation, '--json', inPlace('kinds.json'), option, place.pairs],
        [`${place.pairs}: not written, a part of the path is a file`],
        { late: true },
      );
    }
  });
});

describe.skipIf(process.platform === 'win32')('the standard streams', () => {
  it('that nobody reads stop no work', async () => {
    const config = await writeConfig(place, 'unread');
    const output = inPlace('unread');
    const { code } = await runCli(['train', config, '--output', output], {
      wrapper: ['bash', '-c', 'set -o pipefail; "$@" 2>&1 | head -c 1', 'bash'],
    });
    expect(code).toBe(0);
    expect(await readdir(output)).toContain('model');
  });

  it.skipIf(process.platform !== 'linux')('on a full disk are told of in one line', async () => {
    const texts = ['--input', place.pairs, '--column', 'query', '--output', '-'];
    for (const command of [
      ['encode', '--model', place.model, ...texts],
      ['devices', '--json'],
    ]) {
      const wrapper = ['bash', '-c', '"$@" > /dev/full', 'bash'];
      const { code, errorLines } = await runCli(command, { wrapper });
      expect(code).toBe(2);
      expect(errorLines.at(-1)).toMatch(/^synglot: standard output: not written, the disk is full/);
    }
  });
});

it('a file is never called -', async () => {
  await expectMistake(
    ['eval', '--qrels', inPlace('q'), '--run', inPlace('r'), '--json', '-'],
    ['-: only encode writes to standard output; name a file'],
  );
});

describe('encode', () => {
  const encode = (...rest: string[]) => ['encode', '--model', place.model, ...rest];
  const texts = ['one', '', 'zwei und drei'];

  beforeAll(async () => {
    await writeFile(inPlace('texts.txt'), `${texts.join('\n')}\n`);
    await runCliWell(encode('--input', inPlace('texts.txt'), '--output', inPlace('texts.npy')));
  });

  it('reads a pipe and writes to one', async () => {
    const script = `cat ${inPlace('texts.txt')} | "$@" > ${inPlace('piped.npy')}`;
    const { stdout } = await runCliWell(encode('--input', '-', '--output', '-'), {
      wrapper: ['bash', '-c', script, 'bash'],
    });
    expect(stdout).toBe('');
    expect((await readFile(inPlace('piped.npy'))).equals(await readFile(inPlace('texts.npy')))).toBe(true);
    const headed = await runCli(encode('--input', inPlace('texts.txt'), '--output', '-'), {
      wrapper: ['bash', '-c', 'set -o pipefail; "$@" | head -c 6', 'bash'],
    });
    expect(headed.code).toBe(0);
    await expectMistake(encode('--input', '-', '--output', inPlace('none.npy')), ['is empty']);
  });

  it('reads a column, and asks which where there are several', async () => {
    await writeFile(inPlace('rows.jsonl'), texts.map((t) => `${JSON.stringify({ a: 1, t })}\n`).join(''));
    await writeFile(inPlace('rows.tsv'), texts.map((t) => `x\t${t}\n`).join(''));
    await writeFile(inPlace('rows.csv'), `a,t\n${texts.map((t) => `1,"${t}"\n`).join('')}`);
    for (const [name, column] of [
      ['rows.jsonl', 't'],
      ['rows.tsv', '1'],
      ['rows.csv', 't'],
    ] as const) {
      const output = inPlace(`${name}.npy`);
      await expectMistake(encode('--input', inPlace(name), '--output', output), [
        `${name}: has columns`,
        '--column',
      ]);
      await runCliWell(encode('--input', inPlace(name), '--column', column, '--output', output));
      expect((await readFile(output)).equals(await readFile(inPlace('texts.npy'))), name).toBe(true);
    }
    await expectMistake(
      encode('--input', inPlace('rows.jsonl'), '--column', 'tt', '--output', inPlace('no.npy')),
      [/rows\.jsonl:1: no 'tt' \(did you mean 't'\?\)/],
    );
  });

  it('writes NumPy files, and not over its input', async () => {
    for (const name of ['e.jsonl', 'e.csv', 'e.safetensors', 'e.npy.gz']) {
      await expectMistake(encode('--input', inPlace('texts.txt'), '--output', inPlace(name)), [
        name,
        'end its name in .npy',
      ]);
    }
    await writeFile(inPlace('lines'), 'one\n');
    await expectMistake(encode('--input', inPlace('lines'), '--output', inPlace('lines')), [
      'would be written over',
    ]);
    expect(await readFile(inPlace('lines'), 'utf8')).toBe('one\n');
  });
});
