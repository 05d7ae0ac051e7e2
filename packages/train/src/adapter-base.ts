/** Knows again the model under a run's adapter: an adapter that goes on over other weights is another adapter. */
import { createHash } from 'node:crypto';
import type { Checkpoint } from '@synglot/models';
import { isAdapterParameter } from '@synglot/nn';
import type { SavedRun } from './checkpoints.js';
import { TrainError } from './errors.js';

/** A hash of the first row of every parameter that is no adapter's; undefined without an adapter. */
export async function baseFingerprint({
  config,
  parameters,
  readRows,
}: Checkpoint): Promise<string | undefined> {
  if (!config.adapter) return undefined;
  const hash = createHash('sha256');
  for (const { name } of parameters) {
    if (!isAdapterParameter(name)) hash.update(`${name}\n`).update(await readRows(name, 0, 1));
  }
  return hash.digest('hex').slice(0, 32);
}

/** @throws TrainError `INPUT_RESUME` if the saved run had other weights under its adapter */
export function checkBase(
  saved: SavedRun | undefined,
  base: string | undefined,
  model: string,
  output: string,
): void {
  const before = saved?.state.base;
  if (before === undefined || before === base) return;
  throw new TrainError(
    'INPUT_RESUME',
    `${model}: has other weights than those over which ${output} trains its adapter; put them back, or start anew in another --output`,
  );
}
