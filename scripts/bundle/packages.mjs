// Finds the packages that run, own and others', and copies what of them runs. Not the binaries beside them.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { BundleError } from './errors.mjs';

/** Entry points: the command and its benchmarks. */
const entries = ['synglot', '@synglot/bench'];

/** Packages that nothing in the bundle needs, and why. */
const leftOut = [
  { name: /^(cmake-js|node-addon-api)$/, why: 'builds the addon, which is here built' },
  { name: /^webgpu$/, why: 'the other executor; 130 MB of Dawn for six platforms' },
  { name: /^@webgpu\/types$/, why: 'types' },
  { name: /^@huggingface\/tokenizers$/, why: 'tokenizers of pages' },
  { name: /^(@jax-js\/.*|@tensorflow\/.*|onnxruntime-.*)$/, why: 'a peer of the benchmarks' },
];

/** What of our own packages is for building them. */
const buildInputs = new Set(['src', 'scripts', 'CMakeLists.txt']);
const demoLanguages = new Set(['ar', 'de', 'el', 'en', 'es', 'hi', 'ru', 'th', 'tr', 'vi', 'zh']);
const notRun =
  /\.(map|d\.ts|d\.mts|d\.cts|tsbuildinfo|md|markdown|flow)$|\.test\.[cm]?js$|^\.(github|package-lock|tsbuildinfo)/i;

/** Copied only in part. Paths are relative to the package. */
const only = {
  tokenizers: (path) => !path.endsWith('.node') || path === 'tokenizers.linux-x64-gnu.node',
  '@onirenaud/swiftshader-vulkan': (path) => path !== 'linux-arm64',
  '@wgpu-bun/linux-x64-dawn': (path) => path !== 'include-dawn',
  'cldr-annotations-full': (path) => {
    const [top, lang, file] = path.split(sep);
    if (top === 'annotations') {
      return (
        lang === undefined || (demoLanguages.has(lang) && (file ?? 'annotations.json') === 'annotations.json')
      );
    }
    return top === 'package.json' || /^LICENSE/i.test(top);
  },
};

/**
 * All packages reached from the entry points over `dependencies` and installed `optionalDependencies`,
 * as `{ name, from, to, own }`; `to` is relative to the bundle's folder of packages.
 *
 * @throws BundleError when a dependency is not installed
 */
export function findPackages(root) {
  const found = new Map();
  const visit = (name, requiredBy, fromFolder, optional) => {
    if (leftOut.some((entry) => entry.name.test(name))) return;
    const link = installed(name, fromFolder, root);
    if (!link) {
      if (optional) return;
      throw new BundleError(`${requiredBy} needs ${name}, which is not installed; run npm ci`);
    }
    const from = realpathSync(link);
    if (found.has(from)) return;
    const own = !relative(root, from).split(sep).includes('node_modules');
    found.set(from, { name, from, own, to: own ? name : targetOf(link, root, found) });
    const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    for (const next of Object.keys(manifest.dependencies ?? {})) {
      visit(next, name, from, next in (manifest.optionalDependencies ?? {}));
    }
    for (const next of Object.keys(manifest.optionalDependencies ?? {})) visit(next, name, from, true);
  };
  for (const name of entries) visit(name, 'the bundle', root, false);
  return [...found.values()];
}

/** The folder that Node's resolution finds for `name` from `folder`, or undefined. */
function installed(name, folder, root) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (at === root || at === dirname(at)) return undefined;
  }
}

/** A package keeps its place: at the top, or nested in the package that alone uses it. */
function targetOf(link, root, found) {
  const path = relative(root, link).split(sep);
  const at = path.lastIndexOf('node_modules');
  const name = path.slice(at + 1).join('/');
  const owner = join(root, ...path.slice(0, at));
  if (owner === root) return name;
  return join(found.get(realpathSync(owner)).to, 'node_modules', name);
}

/** Copies what runs of each package into `target`. */
export function copyPackages(packages, target) {
  for (const { name, from, to, own } of packages) {
    const wanted = only[name];
    const folder = join(target, to);
    mkdirSync(folder, { recursive: true });
    for (const entry of own ? ownContents(name, from) : readdirSync(from)) {
      if (entry === 'node_modules') continue;
      cpSync(join(from, entry), join(folder, entry), {
        recursive: true,
        dereference: true,
        filter: (path) =>
          (/^licen[cs]e/i.test(basename(path)) || !notRun.test(basename(path))) &&
          (wanted?.(relative(from, path)) ?? true),
      });
    }
  }
}

/** What npm would publish of ours, without what builds it. */
function ownContents(name, from) {
  const { files = [] } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  if (!existsSync(join(from, 'dist'))) throw new BundleError(`${name} is not built; run npm run build`);
  const entries = new Set([
    'package.json',
    'dist',
    ...files.filter((entry) => !buildInputs.has(entry) && !entry.startsWith('!')),
  ]);
  return [...entries].filter((entry) => existsSync(join(from, entry)));
}

/** Removes the folder and makes it anew. */
export function freshFolder(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
}
