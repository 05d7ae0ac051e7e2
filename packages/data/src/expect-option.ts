/** The check behind every option of sampling and mining: one message for all. */
import { DataError } from './errors.js';

/** @throws DataError `INPUT_OPTION`, naming the option, what was expected and what came, unless `holds` */
export function expectOption(holds: boolean, name: string, expected: string, received: unknown): void {
  if (holds) return;
  const text = JSON.stringify(received) ?? String(received);
  throw new DataError('INPUT_OPTION', `\`${name}\`: expected ${expected} but received ${text}`);
}
