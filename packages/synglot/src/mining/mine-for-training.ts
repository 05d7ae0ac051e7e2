/** Mining as training asks for it: `runTraining({ …, mine: mineForTraining })`. */
import { miningSummary, negativesByItem, resolveMining } from '@synglot/data';
import type { MiningRequest, MiningResult } from '@synglot/train';
import { mineNegatives } from './mine-negatives.js';

/** One round of mining with the model that is being trained. @throws DataError `INPUT_MINING` where none is left */
export async function mineForTraining(request: MiningRequest): Promise<MiningResult> {
  const { options, step, executor, set, embedQueries, embedPassages, signal } = request;
  const { data, mined, statistics } = await mineNegatives({
    ...options,
    executor,
    set,
    embedQueries,
    embedPassages,
    salt: step,
    ...(signal ? { signal } : {}),
  });
  return {
    negatives: negativesByItem(data, mined),
    summary: miningSummary(statistics, resolveMining(options).negatives),
    statistics,
  };
}
