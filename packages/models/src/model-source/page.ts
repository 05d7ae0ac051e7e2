/**
 * Model files by `fetch`, for pages and workers: a folder is an address, and what is in it is found by asking for it,
 * with GET and once: functions that a page puts in the place of `fetch` need know nothing else. Nothing here needs a DOM,
 * so tests run it in Node.
 */
import { checkpointError, reasonOf } from '../errors.js';
import type { ModelSource } from './source.js';

/** Files of weights that are asked for: a page cannot list a folder. */
const weightFiles = ['model.safetensors', 'model.safetensors.index.json'];

const notFound = 'status 404';

/** Answers a missing file with an HTML page and status 200: what hosts of single-page applications do. */
function isFallback(path: string, response: Response): boolean {
  return !path.endsWith('.html') && (response.headers.get('content-type') ?? '').startsWith('text/html');
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path).catch((cause: unknown) => {
    // Anything else, such as the page's own abort, says why.
    if (!(cause instanceof TypeError)) throw cause;
    const why = 'is the server there, and does it let this page read (CORS)?';
    throw new Error(`${reasonOf(cause)}; ${why}`, { cause });
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  if (isFallback(path, response)) throw new Error('the server answers with an HTML page');
  return response;
}

/** Answers for a file that is not there; some stores say 403, so as not to tell. */
const absent = [403, 404, 410];

/**
 * Whether another origin has an answer that the page may not see: many servers let it read files and not the 404 of one
 * that they lack. An isolated page is not even told that there is one.
 */
async function isHidden(path: string): Promise<boolean> {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (crossOriginIsolated) return true;
  return fetch(path, { method: 'HEAD', mode: 'no-cors' }).then(
    () => true,
    () => false,
  );
}

/**
 * The answer with a file, or undefined where there is none. Another failure is no file that is missing: without its
 * modules.json, a model would be read as another one.
 */
async function getIfPresent(path: string): Promise<Response | undefined> {
  const response = await fetch(path).catch(async (error: unknown) => {
    if (await isHidden(path)) return undefined;
    throw checkpointError(`${path}: cannot be fetched (${reasonOf(error)}); is the server there?`, error);
  });
  if (!response) return undefined;
  if (response.ok && !isFallback(path, response)) return response;
  await response.body?.cancel();
  if (response.ok || absent.includes(response.status)) return undefined;
  throw checkpointError(`${path}: cannot be fetched (status ${response.status})`);
}

/** Addresses; a file that is read in parts is fetched once and kept by the browser as a blob. */
export const modelSource: ModelSource = {
  join: (...parts) =>
    parts
      .filter((part) => part !== '')
      .map((part, index) => (index < parts.length - 1 ? part.replace(/\/+$/, '') : part))
      .join('/'),
  basename: (path) => path.split('/').at(-1) ?? path,
  async isFile(path) {
    const response = await getIfPresent(path);
    await response?.body?.cancel();
    return response !== undefined;
  },
  list: () => Promise.resolve(weightFiles),
  readBytes: async (path) => new Uint8Array(await (await get(path)).arrayBuffer()),
  async readBytesIfPresent(path) {
    const response = await getIfPresent(path);
    const bytes = await response?.arrayBuffer().catch((error: unknown) => {
      throw checkpointError(`${path}: cannot be fetched (${reasonOf(error)})`, error);
    });
    return bytes && new Uint8Array(bytes);
  },
  async gunzip(bytes) {
    // A server that says how a file is packed has it unpacked by the browser.
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
    const unzipped = new Blob([bytes as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unzipped).arrayBuffer());
  },
  file(path) {
    let answer: Response | undefined;
    let blob: Promise<Blob> | undefined;
    return {
      async isThere() {
        answer ??= await getIfPresent(path);
        return answer !== undefined;
      },
      async use(work) {
        blob ??= Promise.resolve(answer ?? get(path)).then((response) => response.blob());
        answer = undefined;
        const whole = await blob.catch((error: unknown) => {
          blob = undefined;
          throw checkpointError(`${path}: cannot be fetched (${reasonOf(error)})`, error);
        });
        return work(async (target, position) => {
          const end = position + target.byteLength;
          if (end > whole.size) {
            throw checkpointError(
              `${path}: ends at byte ${whole.size}, expected ${end}: the file is cut; get it again`,
            );
          }
          target.set(new Uint8Array(await whole.slice(position, end).arrayBuffer()));
        }, whole.size);
      },
    };
  },
  isMissing: (error) => reasonOf(error) === notFound,
  reason: reasonOf,
};
