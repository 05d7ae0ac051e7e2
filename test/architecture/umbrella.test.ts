/** `synglot` is every layer under one import: a name that two packages export would silently be in neither. */
import { expect, test } from 'vitest';

const entries = {
  '@synglot/data': () => import('@synglot/data'),
  '@synglot/data/files': () => import('@synglot/data/files'),
  '@synglot/eval': () => import('@synglot/eval'),
  '@synglot/eval/files': () => import('@synglot/eval/files'),
  '@synglot/gpu': () => import('@synglot/gpu'),
  '@synglot/gpu/node': () => import('@synglot/gpu/node'),
  '@synglot/kernels': () => import('@synglot/kernels'),
  '@synglot/models': () => import('@synglot/models'),
  '@synglot/nn': () => import('@synglot/nn'),
  '@synglot/report': () => import('@synglot/report'),
  '@synglot/train': () => import('@synglot/train'),
} as const;

test.each(Object.entries(entries))('everything of %s', async (_, load) => {
  const umbrella: Record<string, unknown> = await import('synglot');
  const own: Record<string, unknown> = await load();
  expect(Object.keys(own).filter((name) => umbrella[name] !== own[name])).toEqual([]);
});
