/**
 * A program with strict settings that also checks declarations (`skipLibCheck: false`), without the DOM's types or
 * WebGPU's: every layer's own types check there. Needs what `npm run build` makes.
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

test('declarations need no types but their own', async () => {
  // Beside this file, from where the packages are found.
  const path = `${here}strict-program-${process.pid}.mts`;
  onTestFinished(() => rm(path, { force: true }));
  await writeFile(path, program);
  const flags = '--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess';
  const more = '--skipLibCheck false --target es2023 --lib es2023 --module nodenext --types node';
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const args = [tsc, ...`${flags} ${more}`.split(' '), path];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error) => error);
  expect(stdout).toBe('');
}, 120_000);
