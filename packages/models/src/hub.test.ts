/** The hub's cache and errors, and downloads from a small server that answers as the hub does. */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openCheckpoint } from './checkpoint.js';
import { saveCheckpoint } from './checkpoint-writer.js';
import { fetchHubModel, findCachedModel, type HubProgress, isHubId, selectModelFiles } from './hub.js';
import {
  expectModelError,
  LABSE_POOLING,
  temporaryFolder,
  tensorSources,
  tinyConfig,
  tinyTokenizer,
  tinyWeights,
} from './test-support.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

async function savedModel(): Promise<string> {
  const folder = join(await temporaryFolder(), 'model');
  const config = tinyConfig();
  const tensors = tensorSources(config, LABSE_POOLING, tinyWeights(config, LABSE_POOLING));
  const tokenizer = await tinyTokenizer();
  await saveCheckpoint(folder, { config, pooling: LABSE_POOLING, maxLength: 16, tokenizer, tensors });
  return folder;
}

async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, Buffer>();
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1).replaceAll('\\', '/'), await readFile(path));
  }
  return files;
}

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

/** Answers for one model: its commit, its list of files, their bytes; large ones with a SHA-256. */
function hubServer(files: ReadonlyMap<string, Buffer>, sent = files): RequestListener {
  return (request, response) => {
    const { pathname } = new URL(request.url!, 'http://hub');
    const answer = (json: unknown) => {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(json));
    };
    if (pathname.startsWith('/api/models/a/b/revision/')) return answer({ _id: '1', id: 'a/b', sha: COMMIT });
    if (pathname === `/api/models/a/b/tree/${COMMIT}`) {
      return answer(
        [...files].map(([path, bytes]) => {
          const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
          const lfs = {
            oid: createHash('sha256').update(bytes).digest('hex'),
            size: bytes.length,
            pointerSize: 100,
          };
          return {
            type: 'file',
            path,
            size: bytes.length,
            oid,
            ...(path.endsWith('.safetensors') && { lfs }),
          };
        }),
      );
    }
    const bytes = sent.get(decodeURIComponent(pathname.replace(`/a/b/resolve/${COMMIT}/`, '')));
    if (bytes === undefined) return response.writeHead(404).end();
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
    const [begin, end] = range
      ? [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)]
      : [0, bytes.length - 1];
    response.setHeader('ETag', '"x"');
    if (range) response.setHeader('Content-Range', `bytes ${begin}-${end}/${bytes.length}`);
    response.writeHead(range ? 206 : 200).end(bytes.subarray(begin, end + 1));
  };
}

/** Puts files into a cache as Hugging Face's programs do; returns the snapshot. */
async function cache(cacheFolder: string, files: ReadonlyMap<string, Buffer>): Promise<string> {
  const store = join(cacheFolder, 'models--a--b');
  const snapshot = join(store, 'snapshots', COMMIT);
  for (const [path, bytes] of files) {
    const blob = join(store, 'blobs', createHash('sha256').update(bytes).digest('hex'));
    await mkdir(dirname(blob), { recursive: true });
    await writeFile(blob, bytes);
    await mkdir(dirname(join(snapshot, path)), { recursive: true });
    await symlink(blob, join(snapshot, path));
  }
  await mkdir(join(store, 'refs'));
  await writeFile(join(store, 'refs', 'main'), COMMIT);
  return snapshot;
}

describe('without the network', () => {
  it('one line says what to give instead', async () => {
    const cacheFolder = await temporaryFolder();
    const run = () => openCheckpoint('sentence-transformers/LaBSE', { cacheFolder, offline: true });
    await expectModelError(
      run,
      'INPUT_MODEL',
      /^sentence-transformers\/LaBSE: no such folder here/,
      /HF_HUB_OFFLINE forbids/,
      /give the local folder instead/,
    );
  });

  it('HF_HUB_OFFLINE is obeyed', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const cacheFolder = await temporaryFolder();
    await expectModelError(() => fetchHubModel('a/b', { cacheFolder }), 'INPUT_MODEL', /HF_HUB_OFFLINE/);
  });

  it('an endpoint that does not answer is a clear line, too', async () => {
    const options = { cacheFolder: await temporaryFolder(), endpoint: 'http://127.0.0.1:1', offline: false };
    await expectModelError(
      () => fetchHubModel('a/b', options),
      'INPUT_MODEL',
      /could not be fetched \(fetch failed: (ECONNREFUSED|bad port)\); or download/,
    );
  });

  it('a cached model opens, whoever cached it', async () => {
    const cacheFolder = await temporaryFolder();
    const snapshot = await cache(cacheFolder, await filesOf(await savedModel()));
    const options = { cacheFolder, offline: true };
    expect(await fetchHubModel('a/b', options)).toBe(snapshot);
    expect((await openCheckpoint('a/b', options)).maxLength).toBe(16);
    expect(await findCachedModel('a/b', { cacheFolder, revision: COMMIT })).toBe(snapshot);
    expect(await findCachedModel('a/c', { cacheFolder })).toBeUndefined();
  });
});

describe('downloading', () => {
  it('fetches an adapter, and opens it over the model that it names', async () => {
    const base = await savedModel();
    const lora = {
      kind: 'lora',
      modules: ['encoder.layer.0.attention.self.query'],
      rank: 2,
      alpha: 4,
      dropout: 0,
      rankStabilized: false,
      trainsEmbeddings: false,
      trainsLayerNorms: false,
    } as const;
    const config = tinyConfig({ adapter: lora });
    const folder = join(await temporaryFolder(), 'adapter');
    await saveCheckpoint(folder, {
      config,
      pooling: LABSE_POOLING,
      maxLength: 16,
      tokenizer: await tinyTokenizer(),
      adapterBase: base,
      tensors: tensorSources(config, LABSE_POOLING, tinyWeights(config, LABSE_POOLING)),
    });
    const endpoint = await listen(hubServer(await filesOf(folder)));
    const options = { cacheFolder: await temporaryFolder(), endpoint, offline: false };
    const fetched = await openCheckpoint('a/b', options);
    expect(fetched.config.adapter).toMatchObject({ kind: 'lora', rank: 2 });
    expect(fetched.adapterBase).toBe(base);
    // From the cache, without the server.
    expect((await openCheckpoint('a/b', { ...options, offline: true })).source).toBe(fetched.source);
  });

  it('fetches the files of a model, reports progress, and keeps them', async () => {
    const model = await filesOf(await savedModel());
    const extra = new Map([
      ...model,
      ['onnx/model.onnx', Buffer.from('x')],
      ['pytorch_model.bin', Buffer.from('y')],
    ]);
    const endpoint = await listen(hubServer(extra));
    const cacheFolder = await temporaryFolder();
    const seen: HubProgress[] = [];
    const folder = await fetchHubModel('a/b', {
      cacheFolder,
      endpoint,
      offline: false,
      onProgress: (progress) => seen.push(progress),
    });
    model.delete('README.md');
    const wanted = [...model.keys()].sort();
    const found = (await readdir(folder, { recursive: true })).map((path) => path.replaceAll('\\', '/'));
    expect(found.filter((path) => !/^\d_\w+$/.test(path)).sort()).toEqual(wanted);
    for (const [path, bytes] of model) expect(await readFile(join(folder, path))).toEqual(bytes);
    const total = [...model.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(seen.at(-1)).toMatchObject({ doneBytes: total, totalBytes: total });
    expect((await openCheckpoint('a/b', { cacheFolder, offline: true })).source).toBe(folder);
  });

  it('fetches what transformers left out of a model that it cached', async () => {
    const model = await filesOf(await savedModel());
    const cacheFolder = await temporaryFolder();
    const own = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    const snapshot = await cache(cacheFolder, new Map([...model].filter(([path]) => own.includes(path))));
    const poolingOf = async (endpoint: string) =>
      (await openCheckpoint('a/b', { cacheFolder, endpoint, offline: false })).pooling;
    expect(await poolingOf('http://127.0.0.1:1')).toEqual({ mode: 'mean', normalize: true });
    expect(await poolingOf(await listen(hubServer(model)))).toEqual(LABSE_POOLING);
    expect(await fetchHubModel('a/b', { cacheFolder, offline: true })).toBe(snapshot);
  });

  it('asks once whether a model has modules', async () => {
    const model = await filesOf(await savedModel());
    const plain = new Map([...model].filter(([path]) => !/modules|^\d_/.test(path)));
    let asked = 0;
    const answer = hubServer(plain);
    const endpoint = await listen((request, response) => {
      asked++;
      answer(request, response);
    });
    const options = { cacheFolder: await temporaryFolder(), endpoint, offline: false };
    await cache(options.cacheFolder, plain);
    await fetchHubModel('a/b', options);
    const before = asked;
    expect(before).toBeGreaterThan(0);
    await fetchHubModel('a/b', options);
    expect(asked).toBe(before);
  });

  it('refuses bytes that do not match their digest, and keeps nothing of them', async () => {
    const model = await filesOf(await savedModel());
    const sent = new Map(model).set(
      'model.safetensors',
      Buffer.from(model.get('model.safetensors')!).fill(7, 100),
    );
    const endpoint = await listen(hubServer(model, sent));
    const cacheFolder = await temporaryFolder();
    const run = () => fetchHubModel('a/b', { cacheFolder, endpoint, offline: false });
    await expectModelError(
      run,
      'INPUT_MODEL',
      /model\.safetensors arrived with digest \w+, expected \w+; try again/,
    );
    const kept = await readdir(join(cacheFolder, 'models--a--b', 'blobs'));
    expect(kept.filter((name) => name.includes('partial'))).toEqual([]);
    expect(await findCachedModel('a/b', { cacheFolder })).toBeUndefined();
  });

  it('refuses a model that is not supported before its weights are fetched', async () => {
    const model = await filesOf(await savedModel());
    const config = JSON.parse(String(model.get('config.json')));
    model.set('config.json', Buffer.from(JSON.stringify({ ...config, model_type: 'new' })));
    const asked: string[] = [];
    const answer = hubServer(model);
    const endpoint = await listen((request, response) => {
      asked.push(request.url!);
      answer(request, response);
    });
    const options = { cacheFolder: await temporaryFolder(), endpoint, offline: false };
    const run = () => openCheckpoint('a/b', options);
    await expectModelError(run, 'INPUT_CHECKPOINT', /config\.json: model_type "new" is not supported/);
    expect(asked.some((url) => url.endsWith('/config.json'))).toBe(true);
    expect(asked.filter((url) => url.endsWith('.safetensors'))).toEqual([]);

    model.set('pytorch_model.bin', model.get('model.safetensors')!);
    for (const path of model.keys()) if (path.endsWith('.safetensors')) model.delete(path);
    asked.length = 0;
    await expectModelError(run, 'INPUT_CHECKPOINT', /^a\/b: no .* only pytorch_model\.bin; convert it with/);
    expect(asked.filter((url) => url.includes('/resolve/'))).toEqual([]);
  });

  it('says when the hub has no such model', async () => {
    const endpoint = await listen((_, response) => response.writeHead(404).end());
    const options = { cacheFolder: await temporaryFolder(), endpoint, offline: false };
    await expectModelError(
      () => fetchHubModel('a/b', options),
      'INPUT_MODEL',
      /HTTP 404\): check the spelling, or set HF_TOKEN/,
    );
  });
});

it('picks the files that make up a model', () => {
  const entry = (path: string) => ({ type: 'file' as const, size: 1, path });
  const pick = (...paths: string[]) => selectModelFiles(paths.map(entry)).map(({ path }) => path);
  expect(
    pick(
      'config.json',
      'model.safetensors',
      'other.safetensors',
      'x/config.json',
      '1_Pooling/config.json',
      'tf_model.h5',
    ),
  ).toEqual(['config.json', 'model.safetensors', '1_Pooling/config.json']);
  expect(
    pick(
      'model-1-of-2.safetensors',
      'model-2-of-2.safetensors',
      'model.safetensors.index.json',
      '../x.safetensors',
    ),
  ).toEqual(['model-1-of-2.safetensors', 'model-2-of-2.safetensors', 'model.safetensors.index.json']);
  const adapter = ['adapter_config.json', 'adapter_model.safetensors'];
  expect(pick(...adapter, 'optimizer.pt')).toEqual(adapter);
  expect(pick(...adapter, 'model.safetensors')).toEqual(['model.safetensors']);
});

it.each([
  ['bert-base-uncased', true],
  ['sentence-transformers/LaBSE', true],
  ['./model', false],
  ['../a/b', false],
  ['/a/b', false],
  ['a/b/c', false],
  ['a b', false],
  ['runs\\x', false],
])('%s as a hub id: %s', (text, expected) => {
  expect(isHubId(text)).toBe(expected);
});
