/** Downloads from a small server that answers as the hub does for dataset repositories. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fetchDatasets } from './hub-dataset.js';
import { expectModelError, temporaryFolder } from './test-support.js';

const commit = '0123456789abcdef0123456789abcdef01234567';

/** A hub with the repository o/d; returns its address and what was asked of it. */
async function hub(files: Readonly<Record<string, string>>, sent = files) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://hub');
    const json = (value: unknown) =>
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
    if (pathname.startsWith('/api/datasets/o/d/revision/')) return json({ _id: '1', id: 'o/d', sha: commit });
    if (pathname === `/api/datasets/o/d/tree/${commit}`) {
      return json(
        Object.entries(files).map(([path, text]) => {
          const oid = createHash('sha1')
            .update(`blob ${Buffer.byteLength(text)}\0${text}`)
            .digest('hex');
          return { type: 'file', path, size: Buffer.byteLength(text), oid };
        }),
      );
    }
    const path = decodeURIComponent(pathname.replace(`/datasets/o/d/resolve/${commit}/`, ''));
    const text = sent[path];
    if (text === undefined) return response.writeHead(404).end();
    asked.push(path);
    const bytes = Buffer.from(text);
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
    const [begin, end] = range
      ? [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)]
      : [0, bytes.length - 1];
    response.setHeader('ETag', '"x"');
    if (range) response.setHeader('Content-Range', `bytes ${begin}-${end}/${bytes.length}`);
    response.writeHead(range ? 206 : 200).end(bytes.subarray(begin, end + 1));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { endpoint: `http://127.0.0.1:${port}`, asked };
}

const files = { 'a/corpus.jsonl': '{"_id":"1"}\n', 'test.tsv': 'q\td\t1\n', 'README.md': 'text' };
const place = (path: string) =>
  path.endsWith('.jsonl') ? path : path.endsWith('.tsv') ? `qrels/${path}` : undefined;

test('wanted files arrive under their names, and a file that is there is kept', async () => {
  const folder = await temporaryFolder();
  const { endpoint, asked } = await hub(files);
  const options = { endpoint, offline: false };
  const first = await fetchDatasets([{ repository: 'o/d', place }], folder, options);
  expect(first).toEqual({ fetched: ['a/corpus.jsonl', 'qrels/test.tsv'], kept: [] });
  expect(await readFile(join(folder, 'qrels/test.tsv'), 'utf8')).toBe(files['test.tsv']);
  expect(new Set(asked)).toEqual(new Set(['a/corpus.jsonl', 'test.tsv']));

  await writeFile(join(folder, 'qrels/test.tsv'), 'mine');
  const again = await fetchDatasets([{ repository: 'o/d', place }], folder, options);
  expect(again).toEqual({ fetched: [], kept: ['a/corpus.jsonl', 'qrels/test.tsv'] });
  expect(await readFile(join(folder, 'qrels/test.tsv'), 'utf8')).toBe('mine');
});

test('damaged, missing, unwanted and outside: one line each, and no half a file', async () => {
  const folder = await temporaryFolder();
  const damaged = await hub(files, { ...files, 'test.tsv': 'q\td\t2\n' });
  const fetch = (endpoint: string, wanted = place) =>
    fetchDatasets([{ repository: 'o/d', place: wanted }], folder, { endpoint, offline: false });
  await expectModelError(() => fetch(damaged.endpoint), 'INPUT_DATA', /test\.tsv arrived with digest/);
  await expect(readFile(join(folder, 'qrels/test.tsv'))).rejects.toThrow('ENOENT');
  const none = () => undefined;
  await expectModelError(() => fetch(damaged.endpoint, none), 'INPUT_DATA', /none of the files/);
  await expectModelError(() => fetch(damaged.endpoint, () => '../x'), 'INPUT_DATA', /outside itself/);
  await expectModelError(
    () => fetchDatasets([{ repository: 'o/other', place }], folder, { ...damaged, offline: false }),
    'INPUT_DATA',
    /^o\/other: not found/,
  );
  await expectModelError(
    () => fetchDatasets([{ repository: 'o/d', place }], folder, { offline: true }),
    'INPUT_DATA',
    /HF_HUB_OFFLINE/,
  );
});
