/** Where results are written, and what of the machine and the checkout goes into each. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Version of synglot itself. */
export const libraryVersion = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Host, load and commit at the time of the call. */
export function environment() {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  // The offline bundle has no checkout: it carries the commit, with a + where it was built from edits.
  const bundled = process.env.SYNGLOT_COMMIT;
  return {
    host: { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version },
    load_average: loadavg().map((value) => Number(value.toFixed(2))),
    commit: bundled ? bundled.replace(/\+$/, '') : git('rev-parse', '--short', 'HEAD'),
    uncommitted_changes: bundled
      ? bundled.endsWith('+')
      : git('status', '--porcelain', '--', 'packages/*/src', 'kernels', 'native') !== '',
  };
}

/** Folder of a device's results: its id; lavapipe of another Mesa than 25 gets the version, as in `lavapipe-26`. */
export function resultsFolder({ id, driver }: { readonly id: string; readonly driver: string }): string {
  const mesa = id === 'lavapipe' ? /Mesa (\d+)/.exec(driver)?.[1] : undefined;
  return mesa === undefined || mesa === '25' ? id : `${id}-${mesa}`;
}

/** Writes `results/<folder>/<name>.json` and returns its path from the root. */
export function writeResult(
  device: { readonly id: string; readonly driver: string },
  name: string,
  result: object,
): string {
  const folder = fileURLToPath(new URL(`../results/${resultsFolder(device)}/`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = `${folder}${name}.json`;
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return relative(root, path);
}
