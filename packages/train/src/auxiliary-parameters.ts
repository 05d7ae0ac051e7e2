/**
 * Parameters of training objectives: a language discriminator's, a learned temperature. They are trained and
 * saved with a run but are not part of its model.
 */
import { join } from 'node:path';
import { SafetensorsFile } from '@synglot/models';
import type { ReadRows } from '@synglot/nn';
import { optimizerFile } from './checkpoints.js';
import type { AuxiliaryParameter } from './objectives.js';

/** Reads the model's parameters with `model`; the others have their initial values. */
export function withInitial(parameters: readonly AuxiliaryParameter[], model: ReadRows): ReadRows {
  const own = new Map(parameters.map((entry) => [entry.spec.name, entry]));
  return async (name, begin, end) => {
    const found = own.get(name);
    if (!found) return model(name, begin, end);
    const columns = found.initial.length / (found.spec.shape[0] as number);
    return found.initial.slice(begin * columns, end * columns);
  };
}

/** Reads the model's parameters with `model`, and the others from a checkpoint of the run. */
export async function withSaved(
  parameters: readonly AuxiliaryParameter[],
  folder: string,
  model: ReadRows,
): Promise<ReadRows> {
  if (parameters.length === 0) return model;
  const own = new Set(parameters.map(({ spec }) => spec.name));
  const file = await SafetensorsFile.open(join(folder, optimizerFile));
  return (name, begin, end) =>
    own.has(name) ? file.readRows(`parameter ${name}`, begin, end) : model(name, begin, end);
}
