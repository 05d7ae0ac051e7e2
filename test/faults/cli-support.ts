/** What the tests of users' mistakes share: a run that is right, and what is expected when it is not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { saveTinyModel, testFolder, tinyPairs, writeJsonl } from '../e2e/support.js';
import { type CliOptions, runCli } from '../support/cli.js';

/** A folder with a small model, parallel pairs, and room for what a test breaks. */
export interface Workplace {
  readonly path: string;
  readonly model: string;
  readonly pairs: string;
  remove(): Promise<void>;
}

export async function makeWorkplace(name: string): Promise<Workplace> {
  const { path, remove } = await testFolder(name);
  const [model, pairs] = [join(path, 'model'), join(path, 'pairs.jsonl')];
  await saveTinyModel(model);
  await writeJsonl(pairs, tinyPairs(12));
  return { path, model, pairs, remove };
}

/** A configuration that runs in a second; `changes` replace its lines by key, null leaves one out. */
export async function writeConfig(
  { path, model, pairs }: Workplace,
  name: string,
  changes: Readonly<Record<string, string | null>> = {},
): Promise<string> {
  const lines: Record<string, string | null> = {
    model,
    data: `[{ format: pairs-jsonl, path: ${pairs} }]`,
    sampling: '{ batch_size: 4 }',
    training: '{ steps: 2 }',
    ...changes,
  };
  const file = join(path, `${name}.yaml`);
  const text = Object.entries(lines)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key}: ${value}\n`);
  await writeFile(file, text.join(''));
  return file;
}

/** What a run prints before it fails; not part of the one line that reports the mistake. */
const notice =
  /^(device: |data: |lengths: |step \d+\/|\d+\/\d+ .*, seed |resumed after step |no checkpoint in )/;

/**
 * Expects exit 2, nothing on standard output, and one line on standard error that holds all `texts`.
 *
 * @param options.late the mistake shows only when the device is open: notices come before the line
 */
export async function expectMistake(
  args: readonly string[],
  texts: readonly (string | RegExp)[],
  { late = false, ...options }: CliOptions & { readonly late?: boolean } = {},
): Promise<void> {
  const { code, signal, stdout, stderr, errorLines } = await runCli(args, options);
  const lines = late ? errorLines.filter((line) => !notice.test(line)) : errorLines;
  expect({ code, signal, stdout, lines }, stderr).toEqual({
    code: 2,
    signal: null,
    stdout: '',
    lines: [expect.stringMatching(/^synglot: /)],
  });
  for (const text of texts) expect(lines[0]).toMatch(text);
}
