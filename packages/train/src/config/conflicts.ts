/**
 * Settings that go against each other, or that another package refuses: known from the configuration alone, so that
 * they are told before a model is opened, data are read, or another run of a sweep is trained.
 */
import { DataError, resolveSampling } from '@synglot/data';
import { toSamplerOptions } from '../run-data.js';
import { measureProblem } from '../validation-measure.js';
import { snakeCased } from './places.js';
import type { Problem } from './problems.js';
import type { TrainConfig } from './schema.js';

/** The first of them, if there are any. */
export function conflict(config: TrainConfig): Problem | undefined {
  const { fgm, training, validation, checkpoint } = config;
  const sampling = refusal(() => resolveSampling(toSamplerOptions(config)));
  if (sampling) return { path: [], key: 'sampling', message: `sampling: ${sampling}` };
  if (fgm && training.cache_tokens !== undefined) {
    const message =
      'fgm: perturbations go over the encoder twice, which gradient caching does not; leave training.cache_tokens out';
    return { path: [], key: 'fgm', message };
  }
  const measured = validation?.measure === undefined ? undefined : measureProblem(validation.measure);
  if (measured) return { path: ['validation'], key: 'measure', message: `validation.measure: ${measured}` };
  if (validation && validation.fraction > 0) return undefined;
  const remedy = 'needs validations: add `validation: { fraction: 0.02 }`';
  if (checkpoint.keep_best) {
    return { path: ['checkpoint'], key: 'keep_best', message: `checkpoint.keep_best ${remedy}` };
  }
  if (validation?.patience === undefined) return undefined;
  return { path: ['validation'], key: 'patience', message: `validation.patience ${remedy}` };
}

/** What another package says against options, in words of a configuration. */
function refusal(check: () => unknown): string | undefined {
  try {
    check();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return snakeCased(error.message);
  }
  return undefined;
}
