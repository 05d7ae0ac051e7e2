/** Passages that answer no question of the training pairs, among which hard negatives are mined too. */
import { normaliseLanguage, type TrainingSetBuilder } from '@synglot/data';
import { readCorpus } from '@synglot/data/files';
import type { TrainConfig } from './config.js';

/**
 * Adds the passages of `mining.corpus` to the training set. A passage that is there already, as an answer or by
 * its text, is known as such: its id is `<lang>/<id>` in its data set, as the `beir` and `miracl` formats have it.
 *
 * @throws DataError with file and line
 */
export async function addMiningCorpus(config: TrainConfig, builder: TrainingSetBuilder): Promise<void> {
  for (const { path, lang, dataset } of config.mining?.corpus ?? []) {
    const common = { lang: normaliseLanguage(lang), dataset: dataset ?? path, domain: dataset ?? path };
    for await (const { id, text } of readCorpus([path])) {
      if (text.trim() !== '') builder.addPassage({ id, text, parallelId: `${common.lang}/${id}`, ...common });
    }
  }
}
