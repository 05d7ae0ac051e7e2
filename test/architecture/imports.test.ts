/** The direction of imports, and which files may know Node: the two rules that keep layers apart. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What each package may import of ours; everything else is a wrong direction. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  native: [],
  'packages/data': [],
  'packages/gpu': ['kernels', 'native'],
  'packages/nn': ['gpu', 'kernels'],
  'packages/models': ['gpu', 'nn'],
  'packages/eval': ['data', 'gpu', 'models', 'nn'],
  'packages/train': ['data', 'eval', 'gpu', 'models', 'nn'],
  'packages/report': ['eval', 'models'],
  'packages/bench': ['data', 'eval', 'gpu', 'models', 'nn', 'train'],
};

/** Folders that a page can use: nothing of Node, except below the listed folders. */
const pageSafe: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  'packages/gpu': ['node'],
  'packages/nn': [],
  'packages/data': ['files'],
};

function sources(folder: string): { path: string; imports: string[] }[] {
  const src = join(root, folder, 'src');
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/(\.test|test-support)\.ts$/.test(path))
    .map((path) => {
      const text = readFileSync(join(src, path), 'utf8');
      const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
      return { path, imports: [...found].map((match) => match[1] as string) };
    });
}

test.each(Object.entries(allowed))('%s imports only what lies below it', (folder, below) => {
  for (const { path, imports } of sources(folder)) {
    for (const name of imports) {
      const ours = name.match(/^@synglot\/(\w+)/)?.[1] ?? (name === 'synglot' ? 'synglot' : undefined);
      if (ours) expect(below, `${folder}/src/${path} imports ${name}`).toContain(ours);
    }
  }
});

test.each(Object.entries(pageSafe))(
  '%s imports nothing of Node outside its Node folder',
  (folder, except) => {
    const files = sources(folder).filter(({ path }) => !except.some((name) => path.startsWith(`${name}/`)));
    expect(files.length).toBeGreaterThan(0);
    for (const { path, imports } of files) {
      for (const name of imports) {
        const own = name.startsWith('.') || /^@synglot\/(kernels|gpu|nn)$/.test(name);
        expect(own, `${folder}/src/${path} imports ${name}`).toBe(true);
      }
    }
  },
);
