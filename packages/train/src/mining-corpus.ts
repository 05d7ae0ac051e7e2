/** Passages that answer no question of the training pairs, among which hard negatives are mined too. */
import { normaliseLanguage, type TrainingSetBuilder } from '@synglot/data';
import { readCorpus } from '@synglot/data/files';
import { findFiles } from './config/paths.js';
import { inTermsOfConfig, placedPaths, placeIn } from './config/places.js';
import type { TrainConfig } from './config.js';

/** A corpus whose files are there. */
export interface MiningCorpus {
  readonly files: readonly string[];
  readonly lang: string;
  readonly dataset: string;
}

/** The files of `mining.corpus`. @throws TrainError, DataError with the place in the configuration */
export async function findMiningCorpora(config: TrainConfig): Promise<MiningCorpus[]> {
  const corpora: MiningCorpus[] = [];
  for (const corpus of config.mining?.corpus ?? []) {
    const { path, lang, dataset = [path].flat().join(', ') } = corpus;
    corpora.push({
      files: await findFiles('mining.corpus', placedPaths(corpus)),
      lang: await inTermsOfConfig(placeIn(corpus, 'lang'), () => normaliseLanguage(lang)),
      dataset,
    });
  }
  return corpora;
}

/**
 * Adds the passages to the training set. A passage that is there already, as an answer or by its text, is known as
 * such: its id is `<lang>/<id>` in its data set, as the `beir` and `miracl` formats have it.
 *
 * @throws DataError with file and line
 */
export async function addMiningCorpora(
  corpora: readonly MiningCorpus[],
  builder: TrainingSetBuilder,
): Promise<void> {
  for (const { files, lang, dataset } of corpora) {
    const common = { lang, dataset, domain: dataset };
    for await (const { id, text } of readCorpus(files)) {
      if (text.trim() !== '') builder.addPassage({ id, text, parallelId: `${lang}/${id}`, ...common });
    }
  }
}
