/** Reads what a user named: errors in one line with the file and the remedy. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ReportError } from '../errors.js';

/** What can be given, for messages. */
export const expectedRuns =
  'expected a JSON file of `synglot eval --json`, a report.json of `synglot demo`, a folder with metrics.jsonl, an .npy with its .langs.txt, or a folder of these';

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file or folder';
  if (code === 'EACCES') return 'no permission to read';
  return message;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: unknown): ReportError {
  return new ReportError('INPUT_RUN', `${path}: ${reasonOf(error)}; ${expectedRuns}`, { cause: error });
}

/** The lines that have an end, one after another: the file of a long run is larger than a string can be. */
export async function* readWholeLines(path: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const piece of createReadStream(path, 'utf8')) {
      const lines = `${rest}${piece}`.split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Lines of a text file, without the empty one at the end. */
export async function readLines(path: string): Promise<string[]> {
  const lines = (await readText(path)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : (error as Error).message;
    throw new ReportError('INPUT_RUN', `${path}: is no JSON (${reason}); ${expectedRuns}`, { cause: error });
  }
}

/** `value` as the schema has it, or an error that names the file, the key, and what was expected and found. */
export function checked<T extends z.ZodType>(schema: T, value: unknown, path: string): z.output<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = issue.path.map(String).join('.') || 'the file';
  const reason = issue.message.replace(/^Invalid input: /, '');
  throw new ReportError('INPUT_RUN', `${path}: '${key}': ${reason}; write the file again with synglot`);
}
