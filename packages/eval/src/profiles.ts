/**
 * Evaluation profiles: what the field's tools do where they disagree, as data. A new tool is a new entry;
 * a new difference between tools is a new field. Not the measures themselves (see `measures/`).
 */
import { EvaluationError } from './errors.js';

/** Names of the known profiles. */
export type ProfileName = 'trec_eval' | 'sentence-transformers' | 'lareqa';

/** How one tool ranks ties and defines its measures. */
export interface Profile {
  readonly name: ProfileName;
  /** Which of two equally scored passages ranks first, by passage id compared as UTF-8 bytes. */
  readonly ties: 'id-descending' | 'id-ascending';
  /** What AP@k divides by: all relevant passages, or as many of them as fit into k. */
  readonly apDivisor: 'relevant' | 'min-k-relevant';
  /** Gain of a passage in nDCG: its grade, or 1 for every relevant one. */
  readonly gain: 'grade' | 'binary';
  /** The measure that this tool's users mean by "mAP". */
  readonly map: string;
  /** A query without a relevant passage in a pool: left out of that pool's mean, or a mistake in the data. */
  readonly withoutRelevant: 'skip' | 'error';
  readonly source: string;
}

/** The profiles by name. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  trec_eval: {
    name: 'trec_eval',
    ties: 'id-descending',
    apDivisor: 'relevant',
    gain: 'grade',
    map: 'AP',
    withoutRelevant: 'skip',
    source: 'github.com/usnistgov/trec_eval, version 10: form_res_rels.c, m_map.c, m_map_cut.c, m_ndcg_cut.c',
  },
  'sentence-transformers': {
    name: 'sentence-transformers',
    ties: 'id-ascending',
    apDivisor: 'min-k-relevant',
    gain: 'binary',
    map: 'AP@100',
    withoutRelevant: 'skip',
    source: 'sentence-transformers 6.2, InformationRetrievalEvaluator',
  },
  lareqa: {
    name: 'lareqa',
    // The benchmark names no order for ties; the one of trec_eval is taken.
    ties: 'id-descending',
    apDivisor: 'min-k-relevant',
    gain: 'binary',
    map: 'AP@20',
    withoutRelevant: 'error',
    source: 'LAReQA (arXiv 2004.05484) as in XTREME-R (arXiv 2104.07412): mAP@20',
  },
};

/**
 * The profile of that name.
 *
 * @throws EvaluationError `INPUT_PROFILE` for an unknown name.
 */
export function profileNamed(name: string): Profile {
  if (!Object.hasOwn(profiles, name)) {
    throw new EvaluationError(
      'INPUT_PROFILE',
      `No profile "${name}"; the profiles are ${Object.keys(profiles).join(', ')}.`,
    );
  }
  return profiles[name as ProfileName];
}
