/** Writes JSON files whole or not at all. The only file of this package that needs Node. */
import { open, rename, rm } from 'node:fs/promises';
import { outputError } from '../errors.js';

/**
 * Writes `value` to `file` as indented JSON, atomically: into a file beside it that is then renamed, so
 * that a reader sees the old content or the new.
 *
 * @throws EvaluationError `INPUT_OUTPUT` when the file cannot be written (no folder, no permission, disk full);
 *   an older file of that name is left as it was.
 */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw outputError(file, cause);
  }
}
