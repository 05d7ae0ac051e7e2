/** A package as npm installs it, without the addon: the error says what to run, with a path that is there. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const native = fileURLToPath(new URL('../../native/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'synglot-native-'));
afterEach(() => rmSync(folder, { recursive: true }));

test('the error for an addon that was not built has the command that builds it', async () => {
  for (const part of ['src/index.ts', 'scripts/build-addon.mjs', 'package.json']) {
    cpSync(join(native, part), join(folder, part));
  }
  const { loadNative } = (await import(pathToFileURL(join(folder, 'src/index.ts')).href)) as {
    loadNative(): unknown;
  };
  let message = '';
  try {
    loadNative();
  } catch (error) {
    expect(error).toMatchObject({ name: 'NativeUnavailableError', code: 'DEVICE_UNAVAILABLE' });
    message = (error as Error).message;
  }
  expect(message).toMatch(/addon was not built/);
  const script = /run `node (\S+)`/.exec(message)?.[1];
  expect(script && existsSync(script), message).toBe(true);
});
