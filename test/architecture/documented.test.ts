/** Everything that a package exports has a comment that editors show, and a name of its own. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

const entries = [
  ...['kernels/src/index.ts', 'native/src/index.ts'],
  ...['packages/gpu/src/index.ts', 'packages/gpu/src/node/index.ts', 'packages/nn/src/index.ts'],
  ...['packages/data/src/index.ts', 'packages/data/src/files/index.ts'],
  ...['packages/models/src/index.ts', 'packages/models/src/browser.ts'],
  ...['packages/train/src/index.ts', 'packages/train/src/browser.ts'],
  ...['packages/eval/src/index.ts', 'packages/eval/src/files/index.ts', 'packages/report/src/index.ts'],
];

const declaration =
  /^export (?:declare )?(?:abstract |async )?(?:interface|class|function\*?|const|type) (\w+)/;

/** What a module exports: by name, whether a comment stands before it and where it is. */
function exported(path: string): Map<string, { readonly documented: boolean; readonly place: string }> {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  const found = new Map<string, { documented: boolean; place: string }>();
  for (const [index, line] of lines.entries()) {
    const name = declaration.exec(line)?.[1];
    if (!name || found.has(name)) continue;
    const place = `${relative(root, path)}:${index + 1} ${name}`;
    found.set(name, { documented: /\*\/\s*$/.test(lines[index - 1] ?? ''), place });
  }
  for (const [, named, from] of text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '(\.[^']+)';/gm)) {
    const all = exported(join(dirname(path), (from as string).replace(/\.js$/, '.ts')));
    const names =
      named === '*' ? [...all.keys()] : (named as string).match(/\w+/g)?.filter((w) => w !== 'type');
    for (const name of names ?? []) {
      const one = all.get(name);
      if (!one) throw new Error(`${path}: no declaration of ${name} in ${from}`);
      found.set(name, one);
    }
  }
  return found;
}

test.each(entries)('%s', (entry) => {
  const all = [...exported(join(root, entry)).values()];
  expect(all.length).toBeGreaterThan(4);
  expect(all.filter(({ documented }) => !documented).map(({ place }) => place)).toEqual([]);
});

test('no two of the packages under the umbrella have one name for two things, types included', () => {
  // Of report's types `synglot` takes the main ones by name, and nothing of native.
  const umbrella = entries.filter((entry) => !/native|report|browser/.test(entry));
  const places = new Map<string, Set<string>>();
  for (const entry of umbrella) {
    for (const [name, { place }] of exported(join(root, entry))) {
      places.set(name, (places.get(name) ?? new Set()).add(place));
    }
  }
  expect(places.size).toBeGreaterThan(600);
  expect([...places.values()].filter(({ size }) => size > 1).map((twice) => [...twice])).toEqual([]);
});
