/** Progress where there is no terminal, of work in stages, and a terminal after a signal. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tokenizerProgress } from './model-progress.js';
import { progressLines } from './progress.js';

test('a line every half minute, none before', () => {
  let seconds = 0;
  const lines: string[] = [];
  const clock = { now: () => seconds * 1000, write: (line: string) => lines.push(line) };
  const known = progressLines('encoding', 100, 'texts', clock);
  const open = progressLines('encoding c', 0, 'passages', clock);
  for (seconds = 1; seconds <= 70; seconds++) {
    known.update(seconds, '· fast');
    if (seconds === 45) open.update(8192);
  }
  expect(lines).toEqual([
    'encoding: 30 of 100 texts · fast',
    'encoding c: 8192 passages',
    'encoding: 60 of 100 texts · fast',
  ]);
});

test('the training of a tokenizer has a bar a stage, and none is left open', () => {
  const seen: string[] = [];
  const { onProgress, stop } = tokenizerProgress((label, total, unit) => {
    const name = `${label} ${total} ${unit}`;
    return { update: (done) => seen.push(`${name}: ${done}`), stop: () => seen.push(`${name} ends`) };
  });
  onProgress({ stage: 'texts', done: 7, total: 0 });
  onProgress({ stage: 'texts', done: 9, total: 0 });
  onProgress({ stage: 'pieces', done: 0, total: 0 });
  onProgress({ stage: 'pieces', done: 0, total: 50 });
  stop();
  expect(seen).toEqual([
    'reading 0 texts: 7',
    'reading 0 texts: 9',
    'reading 0 texts ends',
    'choosing a vocabulary: 0 pieces: 0',
    'choosing a vocabulary: 0 pieces ends',
    'choosing a vocabulary: 50 pieces: 0',
    'choosing a vocabulary: 50 pieces ends',
  ]);
});

test('in a terminal, what is told while a bar is shown has its own line, and so has what follows the bar', async () => {
  const built = new URL('../dist/progress.js', import.meta.url);
  const script = `
    const { progressBar, tell } = await import('${built}');
    process.stderr.isTTY = true;
    process.stderr.columns = 80;
    tell('before');
    const bar = progressBar('training', 10, 'steps');
    bar.update(3, '· loss 1.2345');
    tell('one');
    tell('${'two '.repeat(25)}');
    bar.update(10, '· loss 0.1');
    bar.stop();
    console.error('after');
    const resumed = progressBar('training', 1000, 'steps', 900);
    setTimeout(() => {
      resumed.update(901);
      resumed.stop();
    }, 300);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
  let written = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written += text;
  });
  await once(child, 'close');
  expect(screenOf(written, 80)).toEqual([
    'before',
    'one',
    'two '.repeat(20),
    'two '.repeat(5),
    expect.stringMatching(/^training \S+ 10\/10 steps · 0s left · loss 0\.1$/),
    'after',
    // Not the time of one that does 901 steps at once.
    expect.stringMatching(/ 901\/1000 steps · (?![01]s)\S+ left/),
    '',
  ]);
});

test('in a terminal, an error while a bar is shown ends the command, and stands on a line of its own', async () => {
  const config = '{ "model_type": "distilbert" }';
  const oid = createHash('sha1').update(`blob ${config.length}\0${config}`).digest('hex');
  const weights = { type: 'file', path: 'model.safetensors', size: 9, oid: '1', lfs: { oid: '1', size: 9 } };
  const answers: Readonly<Record<string, string>> = {
    '/api/models/a/b/revision/main': '{ "_id": "1", "id": "a/b", "sha": "c0" }',
    '/api/models/a/b/tree/c0': JSON.stringify([
      { type: 'file', path: 'config.json', size: config.length, oid },
      weights,
    ]),
    '/a/b/resolve/c0/config.json': config,
  };
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url!, 'http://hub').pathname];
    response.setHeader('Content-Type', 'application/json').setHeader('ETag', '"x"');
    const [, begin, end] = /(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (answer === undefined) response.writeHead(404).end();
    else if (begin === undefined) response.end(answer);
    else {
      response.setHeader('Content-Range', `bytes ${begin}-${end}/${answer.length}`);
      response.writeHead(206).end(answer.slice(Number(begin), Number(end) + 1));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'synglot-progress-'));
  try {
    const script = `
      process.stderr.isTTY = true;
      process.stderr.columns = 300;
      const { run } = await import('${new URL('../dist/main.js', import.meta.url)}');
      await run(['node', 'synglot', 'plan', '--model', 'a/b']);`;
    const { port } = server.address() as AddressInfo;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HUB_CACHE: folder },
      timeout: 60_000,
    });
    let written = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
    const [code, signal] = await once(child, 'close');
    const rows = screenOf(written, 300);
    expect({ code, signal, rows }).toEqual({
      code: 2,
      signal: null,
      rows: [
        expect.stringMatching(/^fetching config\.json /),
        expect.stringMatching(/^synglot: .*model_type "distilbert" is not supported/),
        '',
      ],
    });
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});

/** The rows of a terminal of so many columns, as far as it does what bars ask of it. */
function screenOf(written: string, columns: number): string[] {
  const rows = [''];
  let [row, column, wraps, saved] = [0, 0, true, [0, 0]];
  const put = (letter: string) => {
    if (column >= columns && wraps) [row, column] = [row + 1, 0];
    // Without wrapping, each further letter replaces the last one of the row.
    column = Math.min(column, columns - 1);
    const line = (rows[row] ?? '').padEnd(column);
    rows[row] = line.slice(0, column) + letter + line.slice(column + 1);
    column += 1;
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is read here
  for (const [part] of written.matchAll(/\x1b\[[?\d]*[A-Za-z]|\x1b[78]|[\s\S]/g)) {
    if (part === '\x1b7') saved = [row, column];
    else if (part === '\x1b8') [row, column] = saved as [number, number];
    else if (part === '\x1b[1G') column = 0;
    else if (part === '\x1b[0K') rows[row] = (rows[row] ?? '').slice(0, column);
    else if (part === '\x1b[?7h' || part === '\x1b[?7l') wraps = part.endsWith('h');
    else if (part === '\n') [row, column] = [row + 1, 0];
    else if (part.length === 1) put(part);
    while (rows.length <= row) rows.push('');
  }
  return rows;
}

test.skipIf(process.platform === 'win32')(
  'a signal shows the cursor again, and ends what nobody else ends',
  async () => {
    const built = new URL('../dist/progress.js', import.meta.url);
    const script = (more: string) => `
    const { progressBar } = await import('${built}');
    process.stderr.isTTY = true;
    const bars = ['outer', 'inner'].map((name) => progressBar(name, 10, 'texts'));
    ${more}
    setInterval(() => undefined, 1000);`;
    const killed = async (more: string) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script(more)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let shown = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        // Hidden twice: both bars are there.
        if (shown.split('\x1b[?25l').length <= 2 && (shown + text).split('\x1b[?25l').length > 2) {
          child.kill('SIGINT');
        }
        shown += text;
      });
      const [code, signal] = await once(child, 'close');
      return { code, signal, shown };
    };
    const alone = await killed('');
    expect(alone).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(alone.shown.split('\x1b[?25h').length).toBeGreaterThan(2);
    const handled = await killed(
      "process.once('SIGINT', () => { console.log('handled'); for (const bar of bars) bar.stop(); process.exit(3); });",
    );
    expect(handled).toMatchObject({ code: 3, signal: null });
    expect(handled.shown).toContain('handled');
  },
);
