/** Files by `fetch`, from a server that treats missing files in several ways; `page.ts` runs in Node as it is. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectModelError } from '../test-support.js';
import { modelSource } from './page.js';

const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 251);
let server: Server;
let base: string;
const asked: string[] = [];
/** By the first part of the address; otherwise 404. */
const statuses: Readonly<Record<string, number>> = { store: 403, private: 401, hurried: 429, broken: 503 };

let tellGone: () => void;
const readerGone = new Promise<void>((resolve) => {
  tellGone = resolve;
});

/** Sends as long as somebody reads. */
function sendWithoutEnd(response: ServerResponse): void {
  const more = () => {
    while (response.write(Buffer.alloc(1 << 16)));
  };
  response.on('drain', more);
  response.on('close', tellGone);
  more();
}

beforeAll(async () => {
  server = createServer(({ method, url = '' }, response) => {
    asked.push(`${method} ${url}`);
    if (url === '/huge.bin') return sendWithoutEnd(response);
    if (url.endsWith('/whole.bin')) return response.end(bytes);
    if (url === '/zipped/whole.gz')
      return response.setHeader('content-encoding', 'gzip').end(gzipSync(bytes));
    if (url.startsWith('/cut/')) return response.destroy();
    if (url.startsWith('/half/'))
      return response.writeHead(200, { 'content-length': 9 }).write('{', () => response.destroy());
    // What hosts of single-page applications answer for anything.
    if (url.startsWith('/fallback/')) return response.setHeader('content-type', 'text/html').end('<p>');
    return response.writeHead(statuses[url.split('/')[1] as string] ?? 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('files of a page', () => {
  it('joins addresses', () => {
    expect(modelSource.join('https://a.b/c/', '', '1_Pooling', 'config.json')).toBe(
      'https://a.b/c/1_Pooling/config.json',
    );
    expect(modelSource.join('/models/one', '')).toBe('/models/one');
    expect(modelSource.basename('https://a.b/c/vocab.txt')).toBe('vocab.txt');
  });

  it('finds what is there, and takes an HTML page for nothing', async () => {
    expect(await modelSource.isFile(`${base}/plain/whole.bin`)).toBe(true);
    expect(await modelSource.isFile(`${base}/plain/none.json`)).toBe(false);
    expect(await modelSource.isFile(`${base}/fallback/config.json`)).toBe(false);
    expect(await modelSource.isFile(`${base}/store/modules.json`)).toBe(false);
  });

  it('does not read a file of which it only wants to know that it is there', async () => {
    asked.length = 0;
    expect(await modelSource.isFile(`${base}/huge.bin`)).toBe(true);
    await readerGone;
    expect(asked).toEqual(['GET /huge.bin']);
  });

  it('does not call missing what it could not ask for', async () => {
    const cut = `${base}/cut/modules.json`;
    await expectModelError(
      () => modelSource.isFile(cut),
      'INPUT_CHECKPOINT',
      `${cut}: cannot be fetched (fetch failed); is the server there?`,
    );
    const half = `${base}/half/modules.json`;
    await expectModelError(
      () => modelSource.readBytesIfPresent(half),
      'INPUT_CHECKPOINT',
      `${half}: cannot be fetched (terminated)`,
    );
    for (const [folder, status] of [
      ['private', 401],
      ['hurried', 429],
      ['broken', 503],
    ] as const) {
      const path = `${base}/${folder}/modules.json`;
      for (const ask of [modelSource.isFile, modelSource.readBytesIfPresent]) {
        await expectModelError(
          () => ask(path),
          'INPUT_CHECKPOINT',
          `${path}: cannot be fetched (status ${status})`,
        );
      }
    }
  });

  it('reads a file if there is one, with one request', async () => {
    asked.length = 0;
    expect(await modelSource.readBytesIfPresent(`${base}/plain/whole.bin`)).toEqual(bytes);
    for (const none of ['plain/none.json', 'fallback/config.json', 'store/modules.json']) {
      expect(await modelSource.readBytesIfPresent(`${base}/${none}`), none).toBeUndefined();
    }
    expect(asked).toHaveLength(4);
    expect(asked.every((request) => request.startsWith('GET'))).toBe(true);
  });

  it('reads whole files, and says why it cannot', async () => {
    expect(await modelSource.readBytes(`${base}/plain/whole.bin`)).toEqual(bytes);
    const error = await modelSource.readBytes(`${base}/plain/none`).catch((error: Error) => error);
    expect([modelSource.reason(error), modelSource.isMissing(error)]).toEqual(['status 404', true]);
    await expect(modelSource.readBytes(`${base}/fallback/none`)).rejects.toThrow('HTML page');
    const nobody = await modelSource.readBytes('http://127.0.0.1:1/a.json').catch((error: Error) => error);
    expect(modelSource.reason(nobody)).toMatch(
      / failed; is the server there, and does it let this page read/,
    );
  });

  it('unpacks what was packed, and what the server has had unpacked already', async () => {
    expect(await modelSource.gunzip(gzipSync(bytes))).toEqual(bytes);
    expect(await modelSource.gunzip(await modelSource.readBytes(`${base}/zipped/whole.gz`))).toEqual(bytes);
  });

  it('reads parts of a file that is fetched once', async () => {
    asked.length = 0;
    const file = modelSource.file(`${base}/parts/whole.bin`);
    expect(await file.isThere()).toBe(true);
    for (const [position, length] of [
      [0, 8],
      [290, 10],
      [7, 1],
    ] as const) {
      const part = new Uint8Array(length);
      const size = await file.use(async (read, sizeBytes) => {
        await read(part, position);
        return sizeBytes;
      });
      expect(size).toBe(300);
      expect(part).toEqual(bytes.slice(position, position + length));
    }
    expect(asked).toEqual(['GET /parts/whole.bin']);
    await expectModelError(
      () => file.use((read) => read(new Uint8Array(11), 290)),
      'INPUT_CHECKPOINT',
      'ends at byte 300, expected 301',
    );
    expect(await modelSource.file(`${base}/none.bin`).isThere()).toBe(false);
    await expectModelError(
      () => modelSource.file(`${base}/none.bin`).use(async () => undefined),
      'INPUT_CHECKPOINT',
      'cannot be fetched (status 404)',
    );
  });
});
