/** Every program in `examples/` runs against the built packages and prints what it is there to show. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from '../support/cli.js';

const expected: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  'custom-plan.mjs': ['agrees: true'],
  'data-sampling.mjs': ['languages: en, fi', 'cross-lingual: ', 'monolingual: ', 'the same batch: true'],
  'eval-measures.mjs': ['AP: 0.5000', /language-blind +1\.0000 +1\.0000 +1\.0000/, /biased +1\.0000 .*3\.0/],
  'models-encode.mjs': [/\n0\.\d+ {2}Photosynthesis .*\n0\.\d+ /],
  'own-parts.mjs': [
    /"alignment":0\.[0-3].*\nbatches: monolingual, monolingual, cross-lingual, mono/,
    /translations: 0\.[89]/,
  ],
  'train-in-memory.mjs': ['step 40', 'learned: true'],
};

it('there is a test for every example', () => {
  const programs = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.mjs'));
  expect(programs.sort()).toEqual(Object.keys(expected).sort());
});

it.each(Object.keys(expected))('%s', async (name) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'examples', name)], {
    env: { XDG_RUNTIME_DIR: '/tmp', ...process.env, NODE_OPTIONS: '' },
  });
  for (const text of expected[name] ?? []) expect(stdout).toMatch(text);
});
