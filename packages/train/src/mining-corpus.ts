/** Passages beside those of the training pairs, among which hard negatives are mined too. */
import { normaliseLanguage, type TrainingSetBuilder } from '@synglot/data';
import { readCorpus } from '@synglot/data/files';
import { findFiles } from './config/paths.js';
import { inTermsOfConfig, placedPaths, placeIn } from './config/places.js';
import type { TrainConfig } from './config.js';

/** A corpus whose files were found. */
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
 * Adds the passages to the training set. One that is already there, as an answer or with the same text, is recognised:
 * its parallel id is `<lang>/<id>` in its data set, as in the `beir` and `miracl` formats.
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
