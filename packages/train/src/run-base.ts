/**
 * Knows again the model that a run started from. Over other weights its adapter is another one; with another tokenizer
 * its own weights get other ids.
 */
import { createHash } from 'node:crypto';
import type { Checkpoint } from '@synglot/models';
import { isAdapterParameter } from '@synglot/nn';
import type { SavedRun } from './checkpoints.js';
import { TrainError } from './errors.js';

/** A hash of what a resumed run still takes from the model; of weights only those under an adapter, their first rows. */
export async function baseFingerprint(model: Checkpoint): Promise<string> {
  const { config, pooling, maxLength, prompts, tokenizer, parameters, readRows } = model;
  const hash = createHash('sha256').update(JSON.stringify([config, pooling, maxLength, prompts]));
  hash.update(tokenizer.files.tokenizer);
  for (const { name } of config.adapter ? parameters : []) {
    if (!isAdapterParameter(name)) hash.update(`${name}\n`).update(await readRows(name, 0, 1));
  }
  return hash.digest('hex').slice(0, 32);
}

/** @throws TrainError `INPUT_RESUME` if the saved run was started from another model */
export function checkBase(saved: SavedRun | undefined, base: string, model: string, output: string): void {
  const before = saved?.state.base;
  if (before === undefined || before === base) return;
  throw new TrainError(
    'INPUT_RESUME',
    `${model}: is no longer the model from which ${output} was started; put that one back, or start anew in another --output`,
  );
}
