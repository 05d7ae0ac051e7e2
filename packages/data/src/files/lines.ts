/**
 * Streams the lines of a text file, gunzipped where the name ends in `.gz`. Knows no format.
 */
import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../errors.js';
import { carriageReturns, notText, refusePacked, telling } from './foreign-bytes.js';

/** One line, without its end. */
export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** `file:line`, for messages. */
  readonly where: string;
}

const newline = 0x0a;

/** Bytes at a time. Lines are made from them in one go, and the event loop should not wait for long. */
const chunkBytes = 1 << 17;

/** No string is longer than this, in characters. */
const longestBytes = constants.MAX_STRING_LENGTH;

/** In place of a file's name: what comes through a pipe. */
const standardInput = '-';

/**
 * The lines of a UTF-8 file, or of standard input if it is called `-`. Lines end with `\n` or `\r\n` and nothing else
 * (JSON may hold U+2028); a byte order mark is dropped; a last line without an end counts.
 *
 * @param longest bytes of a line; more are no line, but a file without any
 * @throws DataError `INPUT_FILE` where the file is missing, is a damaged or cut gzip file, is not UTF-8, has a line
 *   that no string can hold, or lines that end in `\r` alone
 */
export async function* readLines(file: string, longest = longestBytes): AsyncGenerator<Line> {
  refusePacked(file);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let first: Uint8Array | undefined;
  const line = (bytes: Uint8Array): Line => {
    number++;
    const where = `${file === standardInput ? 'standard input' : file}:${number}`;
    try {
      const text = decoder.decode(bytes);
      return { text: text.endsWith('\r') ? text.slice(0, -1) : text, number, where };
    } catch (cause) {
      throw new DataError('INPUT_FILE', `${where}: ${notText(first ?? bytes)}`, { cause });
    }
  };
  const source: Readable =
    file === standardInput ? process.stdin : createReadStream(file, { highWaterMark: chunkBytes });
  const stream = file.endsWith('.gz') ? source.pipe(createGunzip({ chunkSize: chunkBytes })) : source;
  // `pipe` does not forward errors.
  if (stream !== source) source.on('error', (error) => stream.destroy(error));
  let parts: Uint8Array[] = [];
  let lengthBytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      first ??= Uint8Array.from(chunk.subarray(0, telling));
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        const rest = chunk.subarray(start, end);
        yield line(parts.length === 0 ? rest : Buffer.concat([...parts, rest]));
        parts = [];
        lengthBytes = 0;
        start = end + 1;
      }
      if (start < chunk.length) parts.push(Buffer.from(chunk.subarray(start)));
      lengthBytes += chunk.length - start;
      if (lengthBytes > longest) {
        throw new DataError(
          'INPUT_FILE',
          `${file}:${number + 1}: a line of more than ${Math.ceil(longest / 1e6)} MB; is the file one JSON document? write one object per line (jq -c '.[]' does it)`,
        );
      }
    }
  } catch (error) {
    throw fileError(file, error, await beginsAsGzip(file));
  } finally {
    source.destroy();
  }
  if (parts.length === 0) return;
  const last = line(Buffer.concat(parts));
  if (last.number === 1 && last.text.includes('\r')) {
    throw new DataError('INPUT_FILE', `${last.where}: ${carriageReturns}`);
  }
  yield last;
}

async function beginsAsGzip(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => undefined);
  const { buffer } = (await handle?.read(Buffer.alloc(2), 0, 2, 0).catch(() => undefined)) ?? {};
  await handle?.close();
  return buffer?.[0] === 0x1f && buffer[1] === 0x8b;
}

/** The names in a folder, sorted. @throws DataError `INPUT_FILE` */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw fileError(folder, error);
  }
}

/**
 * What went wrong with a file, as the user can mend it; errors of ours pass unchanged.
 *
 * @param isGzip it begins as a gzip file does
 */
export function fileError(file: string, error: unknown, isGzip = false): Error {
  if (!(error instanceof Error) || error instanceof DataError) return error as Error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file or folder; check the path',
    EACCES: 'no permission to read it; change its rights (chmod) or copy it',
    ELOOP: 'a symbolic link that leads to itself; name the file itself',
    EISDIR: 'expected a file but this is a folder; name a file in it',
    ENOTDIR: 'expected a folder but this is a file',
  };
  const reason =
    reasons[code] ??
    (code.startsWith('Z_')
      ? error.message === 'incorrect header check' && !isGzip
        ? 'its name ends in .gz but it is no gzip file; name it without .gz, or fetch it again'
        : `damaged or cut gzip file (${error.message}); fetch it again`
      : `cannot be read (${error.message})`);
  return new DataError('INPUT_FILE', `${file}: ${reason}`, { cause: error });
}
