/**
 * Programs with strict settings that also check declarations (`skipLibCheck: false`), without WebGPU's types: one for
 * Node without the DOM's, one for a page without Node's. Every layer's own types check there. Needs what
 * `npm run build` makes.
 */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

const program = `
import { catalogue } from '@synglot/kernels';
import { createWebGpuExecutor, type Executor, openBrowserExecutor } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import { contrastive, type Objective } from '@synglot/nn';
import { BatchSampler } from '@synglot/data';
import { openTrainingData } from '@synglot/data/files';
import { evaluateRetrieval } from '@synglot/eval';
import { EmbeddingModel, openCheckpoint } from '@synglot/models';
import { Trainer } from '@synglot/train';
export const objective: Objective = contrastive({ temperature: 0.05, direction: 'both' });
export const executor: Promise<Executor> = openBrowserExecutor({ powerPreference: 'low-power' });
export const others = [catalogue, createWebGpuExecutor, openExecutor, BatchSampler, openTrainingData, Trainer];
export const model = [evaluateRetrieval, EmbeddingModel, openCheckpoint];
`;

/** Compiles a program beside this file, from where the packages are found; returns what the compiler says. */
async function complaints(text: string, settings: string): Promise<string> {
  const path = `${here}strict-program-${process.pid}.mts`;
  onTestFinished(() => rm(path, { force: true }));
  await writeFile(path, text);
  const flags = '--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess';
  const args = [
    `${root}node_modules/typescript/bin/tsc`,
    ...`${flags} --skipLibCheck false --target es2023`.split(' '),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...args,
    ...settings.split(' '),
    path,
  ]).catch((error) => error);
  return stdout;
}

test('declarations need no types but their own', async () => {
  expect(await complaints(program, '--lib es2023 --module nodenext --types node')).toBe('');
}, 120_000);

test('declarations for pages need none of Node', async () => {
  const page = program
    .replace(/^.*(gpu\/node|data\/files).*\n/gm, '')
    .replace('openExecutor, ', '')
    .replace('openTrainingData, ', '');
  const settings = '--lib es2023,dom --module esnext --moduleResolution bundler --customConditions browser';
  expect(await complaints(page, settings)).toBe('');
}, 120_000);
