/**
 * What npm would publish of each package: everything that its code, its types and its maps lead to, and no more.
 * Needs what `npm run build` makes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = [
  ...['kernels', 'native', 'packages/bench', 'packages/data', 'packages/eval', 'packages/gpu'],
  ...['packages/models', 'packages/nn', 'packages/report', 'packages/synglot', 'packages/train'],
];

interface Packed {
  readonly name: string;
  readonly files: readonly { readonly path: string }[];
}
let packed: ReadonlyMap<string, ReadonlySet<string>>;

const manifest = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

beforeAll(() => {
  const output = execFileSync('npm', ['pack', '--workspaces', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  // A list, or by name: npm's releases differ.
  const all = Object.values(JSON.parse(output) as Record<string, Packed>);
  packed = new Map(all.map(({ name, files }) => [name, new Set(files.map(({ path }) => path))]));
});

/** Targets of `exports`, of whatever condition, and of `bin`. */
function targets(value: unknown): string[] {
  if (typeof value === 'string') return [value.replace(/^\.\//, '')];
  return Object.values(value ?? {}).flatMap(targets);
}

/** Whether a file of `dist` is left over from a source that is no more: a checkout's, never a release's. */
function stale(folder: string, path: string): boolean {
  const module = /^dist\/(.*?)\.(js|d\.ts)(\.map)?$/.exec(path)?.[1];
  const mapped = existsSync(join(root, folder, `dist/${module}.js.map`));
  return mapped && !existsSync(join(root, folder, `src/${module}.ts`));
}

/** What a file names with a relative path: imports, exports, a map, a map's sources. */
function references(path: string, text: string): string[] {
  if (path.endsWith('.map')) return (JSON.parse(text) as { sources: string[] }).sources;
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const imports = [...code.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
    ([, name]) => name as string,
  );
  const map = /^\/\/# sourceMappingURL=(\S+)/m.exec(text)?.[1];
  const types = (name: string) => (path.endsWith('.d.ts') ? name.replace(/\.js$/, '.d.ts') : name);
  return [...imports.map(types), ...(map ? [map] : [])];
}

describe.each(folders)('%s', (folder) => {
  const { name, exports, bin, scripts } = manifest(folder);
  const files = () => packed.get(name) as ReadonlySet<string>;

  test('holds the targets of its exports, a README and the licence', () => {
    for (const target of [...targets(exports), ...targets(bin), 'README.md', 'LICENSE']) {
      expect([...files()], target).toContain(target);
    }
    expect(readFileSync(join(root, folder, 'LICENSE'), 'utf8')).toBe(
      readFileSync(join(root, 'LICENSE'), 'utf8'),
    );
  });

  test('is built before it is packed', () => {
    expect(scripts.prepack).toBe('npm run build');
  });

  test('holds every file that its code, types and maps name', () => {
    const built = [...files()].filter(
      (path) => /^dist\/.*\.(js|d\.ts|map)$/.test(path) && !stale(folder, path),
    );
    expect(built.length).toBeGreaterThan(0);
    const missing = built.flatMap((path) =>
      references(path, readFileSync(join(root, folder, path), 'utf8'))
        .map((reference) => join(path, '..', reference))
        .filter((target) => !files().has(target))
        .map(
          (target) =>
            `${path} names ${target}, ${existsSync(join(root, folder, target)) ? 'not packed' : 'not built'}`,
        ),
    );
    expect(missing).toEqual([]);
  });

  test('holds no tests and nothing of the compiler', () => {
    expect(
      [...files()].filter((path) => /\.test\.|test-support|\/testing\/|tsbuildinfo|node_modules/.test(path)),
    ).toEqual([]);
  });
});
