/**
 * Model folders from the Hugging Face hub, kept in the cache that Hugging Face's own programs use.
 * It downloads files and checks their digests; what is in them is read elsewhere.
 */

import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { downloadFile, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { adapterConfigFile, adapterWeightsFile } from './adapters/adapter-config.js';
import { ModelError, reasonOf } from './errors.js';
import { discard, isFile, partialName, writeAll, writeError, writeFileAtomic, writeSynced } from './files.js';
import { parseHfConfig } from './hf-config.js';
import { readJsonObject } from './json-files.js';
import { noWeights } from './safetensors/reader.js';
import { encoderPath, readLayout, readModules } from './sentence-transformers.js';

/** How far a download has come; all in bytes of this model's files. */
export interface HubProgress {
  /** The file being fetched, as named on the hub. */
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Which version of a model to fetch, from where, and where it is kept. */
export interface HubOptions {
  /** Branch, tag or commit; default `main`. */
  readonly revision?: string;
  /** Default: `HF_HUB_CACHE`, else `HF_HOME`/hub, else `~/.cache/huggingface/hub`. */
  readonly cacheFolder?: string;
  /** Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Forbid the network; default: as `HF_HUB_OFFLINE` says. */
  readonly offline?: boolean;
  readonly onProgress?: (progress: HubProgress) => void;
}

/** Whether a text can be a hub id: `name` or `owner/name`. */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(text) && !text.includes('..') && !text.includes('--');
}

/** The folder of cached models that transformers, too, would use. */
export function hubCacheFolder(): string {
  const { env } = process;
  const home = env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
  return env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? join(home, 'hub');
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase());
}

const LOCAL =
  'download its files (config.json, model.safetensors, tokenizer.json, modules.json and its folders) elsewhere and give the local folder instead';

/** Whether a snapshot holds all that a model needs; other programs may have cached only some files. */
async function isWhole(snapshot: string): Promise<boolean> {
  try {
    const encoder = join(snapshot, encoderPath(await readModules(snapshot)));
    const names = await readdir(encoder);
    // An adapter's tokenizer may be that of the model under it.
    if (names.includes(adapterConfigFile)) return names.includes(adapterWeightsFile);
    return (
      names.includes('config.json') &&
      names.some((name) => name.endsWith('.safetensors')) &&
      names.some((name) => ['tokenizer.json', 'vocab.txt'].includes(name))
    );
  } catch {
    return false;
  }
}

/**
 * Looks a model up in the cache, without the network.
 *
 * @returns its folder, or undefined if it is not there in full
 */
export async function findCachedModel(id: string, options: HubOptions = {}): Promise<string | undefined> {
  const store = join(options.cacheFolder ?? hubCacheFolder(), `models--${id.replace('/', '--')}`);
  const revision = options.revision ?? 'main';
  const commit = await readFile(join(store, 'refs', revision), 'utf8').then(
    (text) => text.trim(),
    () => revision,
  );
  const snapshot = join(store, 'snapshots', commit);
  return (await isWhole(snapshot)) ? snapshot : undefined;
}

/**
 * Where it is noted that a snapshot's repository has no `modules.json`, as Hugging Face's programs note it. A snapshot
 * without the file and the note may be transformers': it fetches no poolings, dense layers or prompts.
 */
function noModules(snapshot: string): string {
  return join(snapshot, '../../.no_exist', basename(snapshot), 'modules.json');
}

const WANTED = new Set([
  'added_tokens.json',
  'config.json',
  'config_sentence_transformers.json',
  'modules.json',
  'sentence_bert_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
]);

/** The fields that are used of the hub's entry for a file. */
export interface HubFile {
  readonly type: string;
  readonly path: string;
  readonly size: number;
  readonly oid?: string;
  readonly lfs?: { readonly oid: string };
}

/** The files of a repository that make up a model or an adapter: at its top and in `1_Pooling` and its like. */
export function selectModelFiles(files: readonly HubFile[]): HubFile[] {
  const names = new Set(files.map(({ path }) => path));
  return files.filter(({ type, path }) => {
    const [, folder, name] = /^(?:(\d+_\w+)\/)?([^/\\]+)$/.exec(path) ?? [];
    if (type !== 'file' || name === undefined) return false;
    if (WANTED.has(name)) return true;
    if (name !== adapterConfigFile && !/\.safetensors(\.index\.json)?$/.test(name)) return false;
    const usual = folder === undefined ? 'model.safetensors' : `${folder}/model.safetensors`;
    return path === usual || !names.has(usual);
  });
}

/** A repository at a commit. */
export interface HubSource {
  readonly repo: { readonly type: 'model' | 'dataset'; readonly name: string };
  readonly revision: string;
  readonly hubUrl?: string;
  readonly accessToken?: string;
}

/** Endpoint and token of requests to the hub. */
export function hubAccess(options: HubOptions): { hubUrl?: string; accessToken?: string } {
  const hubUrl = options.endpoint ?? process.env.HF_ENDPOINT;
  const accessToken = process.env.HF_TOKEN;
  return { ...(hubUrl !== undefined && { hubUrl }), ...(accessToken && { accessToken }) };
}

/** Whether `options`, or else `HF_HUB_OFFLINE`, forbid the network. */
export function isOffline(options: HubOptions): boolean {
  return options.offline ?? isSet(process.env.HF_HUB_OFFLINE);
}

/** Why the hub gave nothing, in one line. */
export function hubFailure(error: unknown): string {
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  return status === 401 || status === 403 || status === 404
    ? `not found, or not open to you (HTTP ${status}): check the spelling, or set HF_TOKEN`
    : `it could not be fetched (${causeOf(error)})`;
}

/** Fetches one file to `blob`, all or nothing, and compares its digest with the hub's. */
export async function fetchBlob(
  source: HubSource,
  entry: HubFile,
  blob: string,
  onBytes: (count: number) => void,
) {
  const content = await downloadFile({ ...source, path: entry.path });
  if (content === null) throw new Error(`the hub lists ${entry.path} but does not have it`);
  // The hub names large files by their SHA-256, others by git's blob id.
  const hash = entry.lfs === undefined ? createHash('sha1') : createHash('sha256');
  if (entry.lfs === undefined) hash.update(`blob ${entry.size}\0`);
  const partial = partialName(blob);
  try {
    await writeSynced(partial, async (handle) => {
      for await (const chunk of content.stream() as unknown as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        await writeAll(handle, chunk);
        onBytes(chunk.byteLength);
      }
    });
    const expected = entry.lfs?.oid ?? entry.oid;
    const found = hash.digest('hex');
    if (expected !== undefined && found !== expected) {
      throw new Error(`${entry.path} arrived with digest ${found}, expected ${expected}; try again`);
    }
    await rename(partial, blob);
  } catch (error) {
    await discard(partial);
    throw error;
  }
}

async function linkFile(blob: string, pointer: string): Promise<void> {
  await mkdir(dirname(pointer), { recursive: true });
  await rm(pointer, { force: true });
  // Windows allows links to few users; a copy serves as well.
  await symlink(relative(dirname(pointer), blob), pointer).catch(() => copyFile(blob, pointer));
}

const isWeights = (path: string) => path.endsWith('.safetensors');

/** Reads the settings of a model, unless it is an adapter, whose settings are those of the model under it. */
async function checkSettings(snapshot: string): Promise<void> {
  const modules = await readModules(snapshot);
  const config = join(snapshot, encoderPath(modules), 'config.json');
  if (!(await isFile(config))) return;
  const { hiddenSize } = parseHfConfig(await readJsonObject(config), config);
  await readLayout(snapshot, hiddenSize, modules);
}

async function download(id: string, options: HubOptions): Promise<string> {
  const store = join(options.cacheFolder ?? hubCacheFolder(), `models--${id.replace('/', '--')}`);
  const revision = options.revision ?? 'main';
  const common = hubAccess(options);
  const { sha } = await modelInfo({ ...common, name: id, revision, additionalFields: ['sha'] });
  const source: HubSource = { ...common, repo: { type: 'model', name: id }, revision: sha };
  const listed: HubFile[] = [];
  for await (const entry of listFiles({ ...source, recursive: true })) listed.push(entry);
  const files = selectModelFiles(listed);
  if (!files.some(({ path }) => isWeights(path))) {
    throw noWeights(
      id,
      listed.map(({ path }) => path),
    );
  }
  const snapshot = join(store, 'snapshots', sha);
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  let doneBytes = 0;
  const fetchFile = async (entry: HubFile) => {
    const name = entry.lfs?.oid ?? entry.oid;
    if (name === undefined || !/^[0-9a-f]+$/.test(name))
      throw new Error(`the hub gives no digest for ${entry.path}`);
    const report = (count: number) => {
      doneBytes += count;
      options.onProgress?.({ file: entry.path, doneBytes, totalBytes });
    };
    const blob = join(store, 'blobs', name);
    await mkdir(dirname(blob), { recursive: true });
    if (await isFile(blob)) report(entry.size);
    else await fetchBlob(source, entry, blob, report);
    await linkFile(blob, join(snapshot, entry.path));
  };
  for (const entry of files) if (!isWeights(entry.path)) await fetchFile(entry);
  // What is not supported is told before its weights are fetched.
  await checkSettings(snapshot);
  for (const entry of files) if (isWeights(entry.path)) await fetchFile(entry);
  if (!files.some(({ path }) => path === 'modules.json')) {
    await mkdir(dirname(noModules(snapshot)), { recursive: true });
    await writeFile(noModules(snapshot), '');
  }
  if (revision !== sha) {
    const ref = join(store, 'refs', revision);
    await mkdir(dirname(ref), { recursive: true });
    await writeFileAtomic(ref, (handle) => writeAll(handle, new TextEncoder().encode(sha)));
  }
  return snapshot;
}

/**
 * The local folder of a hub model: from the cache if it is there, else downloaded.
 *
 * @param id - `owner/name`
 * @throws ModelError `INPUT_MODEL` if it is neither cached nor on the hub; `INPUT_CHECKPOINT`, before its weights are
 *   fetched, if they or its settings are not supported; `INPUT_DISK` if it cannot be stored.
 */
export async function fetchHubModel(id: string, options: HubOptions = {}): Promise<string> {
  const cached = await findCachedModel(id, options);
  const offline = isOffline(options);
  if (cached !== undefined) {
    const known =
      offline || (await isFile(join(cached, 'modules.json'))) || (await isFile(noModules(cached)));
    // Without an answer from the hub, what is there must do.
    return known ? cached : download(id, { ...options, revision: basename(cached) }).catch(() => cached);
  }
  const intro = `${id}: no such folder here, and as a Hugging Face hub id`;
  if (offline) {
    throw new ModelError(
      'INPUT_MODEL',
      `${intro} not in the cache while HF_HUB_OFFLINE forbids the network; ${LOCAL}`,
    );
  }
  try {
    return await download(id, options);
  } catch (error) {
    const path = join(options.cacheFolder ?? hubCacheFolder(), id);
    const written = writeError(path, error);
    if (written instanceof ModelError) throw written;
    throw new ModelError('INPUT_MODEL', `${intro} ${hubFailure(error)}; or ${LOCAL}`, { cause: error });
  }
}

/** `fetch failed` says nothing; the reason is in its cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined) return reasonOf(error);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `${reasonOf(error)}: ${code || reasonOf(cause)}`;
}
