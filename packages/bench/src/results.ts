/** Where results are written, and what each says about the machine and the checkout. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from './arguments.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Version of synglot itself. */
export const libraryVersion = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Host, load and commit at the time of the call; what `SYNGLOT_UNCHECKED` and `SYNGLOT_TOGGLES` change of Dawn. */
export function environment() {
  const toggles = process.env.SYNGLOT_TOGGLES;
  const unchecked = process.env.SYNGLOT_UNCHECKED === '1';
  return {
    host: { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version },
    load_average: loadavg().map((value) => Number(value.toFixed(2))),
    ...(unchecked ? { unchecked } : {}),
    ...(toggles ? { toggles } : {}),
    ...measuredCommit(root, process.env.SYNGLOT_COMMIT),
  };
}

/**
 * The commit that is measured, and whether the sources differ from it; nulls if that is unknown: in an installed
 * package, a copy without `.git`, a machine without git. A measurement must not be lost for that.
 *
 * @param checkout where a checkout's root would be
 * @param bundled what the offline bundle, which has no checkout, carries: the commit, with a + if made from edits
 */
export function measuredCommit(
  checkout: string,
  bundled?: string,
): { readonly commit: string | null; readonly uncommitted_changes: boolean | null } {
  if (bundled) return { commit: bundled.replace(/\+$/, ''), uncommitted_changes: bundled.endsWith('+') };
  if (!isCheckout(checkout)) return { commit: null, uncommitted_changes: null };
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: checkout,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return {
      commit: git('rev-parse', '--short', 'HEAD'),
      // `packages/*/src` would match nothing: a pattern must match whole paths of files.
      uncommitted_changes: git('status', '--porcelain', '--', 'packages/*/src/*', 'kernels', 'native') !== '',
    };
  } catch {
    return { commit: null, uncommitted_changes: null };
  }
}

/** Three folders up from an installed package is somebody else's project. */
function isCheckout(folder: string): boolean {
  return existsSync(join(folder, 'packages/bench/package.json'));
}

/**
 * Folder of a device's results: its id, without the place among several GPUs; lavapipe of another Mesa than 25 gets the
 * version, as in `lavapipe-26`.
 */
export function resultsFolder({ id, driver }: { readonly id: string; readonly driver: string }): string {
  const mesa = id === 'lavapipe' ? /Mesa (\d+)/.exec(driver)?.[1] : undefined;
  return mesa === undefined || mesa === '25' ? id.replace(/:.*/, '') : `${id}-${mesa}`;
}

/** Where results are kept: of a checkout, in this package; else in the current folder, and not among installed packages. */
export function resultsRoot(checkout: string): string {
  return isCheckout(checkout) ? join(checkout, 'packages/bench/results') : resolve('results');
}

/**
 * Writes `results/<folder>/<name>.json`, or `<name>.json` in the folder that `SYNGLOT_RESULTS` names, and returns its
 * path: from the root of a checkout, else the whole.
 *
 * @throws ArgumentError where it cannot be written; the result is printed then, since measuring took its time
 */
export function writeResult(
  device: { readonly id: string; readonly driver: string },
  name: string,
  result: object,
): string {
  const named = process.env.SYNGLOT_RESULTS;
  const folder = named ? resolve(named) : join(resultsRoot(root), resultsFolder(device));
  const path = join(folder, `${name}.json`);
  const text = JSON.stringify(result, null, 2);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, `${text}\n`);
  } catch (error) {
    console.log(text);
    const reason = (error as Error).message;
    throw new ArgumentError(
      `${path}: cannot be written (${reason}), so the result is printed; SYNGLOT_RESULTS names another folder`,
    );
  }
  return !named && isCheckout(root) ? relative(root, path) : path;
}
