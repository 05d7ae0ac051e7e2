/** A package as npm installs it, without the addon: the error says what to run, with a path that is there. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const native = fileURLToPath(new URL('../../native/', import.meta.url));

/** What loading says, with these parts of the package around it. */
async function messageWith(...parts: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'synglot-native-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const part of ['src/index.ts', 'package.json', ...parts])
    cpSync(join(native, part), join(folder, part));
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
  if (script) expect(existsSync(script), message).toBe(true);
  return message;
}

test('the error for an addon that was not built has the command that builds it', async () => {
  expect(await messageWith('scripts/build-addon.mjs')).toMatch(/run `node \S+`$/);
});

test('where the code was bundled, it names the package to leave out', async () => {
  expect(await messageWith()).toMatch(/\. This code was bundled: leave @synglot\/native external$/);
});
