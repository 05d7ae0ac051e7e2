/**
 * Evaluation profiles: what the field's tools do where they disagree, as data. A new tool is a new entry;
 * a new difference between tools is a new field. Not the measures themselves (see `measures/`).
 */
import { EvaluationError } from './errors.js';

/** Names of the known profiles. */
export type ProfileName = 'trec_eval' | 'beir' | 'sentence-transformers' | 'lareqa' | 'msmarco';

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
  /** A passage whose id is the query's own: ranked like any other, or taken out of the ranking. */
  readonly identicalIds: 'keep' | 'drop';
  readonly runs: RunRules;
  readonly source: string;
}

/** What a tool does with files of judgments (qrels) and rankings (runs). */
export interface RunRules {
  /** A document listed twice for a topic: a mistake, or the last line counts (the tool reads into a dict). */
  readonly duplicates: 'error' | 'last';
  /** Precision in which scores are compared: a difference below it is a tie. */
  readonly scores: 'f32' | 'f64';
  /** A judged topic that the run lacks: left out of the mean, or counted as 0. */
  readonly missing: 'skip' | 'zero';
  /** A judged topic without a relevant document: counted as 0, or left out. */
  readonly noRelevant: 'zero' | 'skip';
  /** Whether the tool's measures are trec_eval's, so that they may be asked for by trec_eval's names. */
  readonly trecNames: boolean;
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
    identicalIds: 'keep',
    runs: { duplicates: 'error', scores: 'f64', missing: 'skip', noRelevant: 'zero', trecNames: true },
    source: 'github.com/usnistgov/trec_eval, version 10: form_res_rels.c, m_map.c, m_map_cut.c, m_ndcg_cut.c',
  },
  beir: {
    name: 'beir',
    ties: 'id-descending',
    apDivisor: 'relevant',
    gain: 'grade',
    map: 'AP@100',
    withoutRelevant: 'skip',
    identicalIds: 'drop',
    // Through pytrec_eval, which is trec_eval 9.0.8: it keeps scores as floats.
    runs: { duplicates: 'last', scores: 'f32', missing: 'skip', noRelevant: 'zero', trecNames: true },
    source: 'github.com/beir-cellar/beir, EvaluateRetrieval.evaluate, over pytrec_eval',
  },
  'sentence-transformers': {
    name: 'sentence-transformers',
    ties: 'id-ascending',
    apDivisor: 'min-k-relevant',
    gain: 'binary',
    map: 'AP@100',
    withoutRelevant: 'skip',
    identicalIds: 'keep',
    runs: { duplicates: 'last', scores: 'f64', missing: 'zero', noRelevant: 'skip', trecNames: false },
    source: 'sentence-transformers 6.2, InformationRetrievalEvaluator',
  },
  lareqa: {
    name: 'lareqa',
    // The benchmark names no order for ties; this is trec_eval's.
    ties: 'id-descending',
    apDivisor: 'min-k-relevant',
    gain: 'binary',
    map: 'AP@20',
    withoutRelevant: 'error',
    identicalIds: 'keep',
    runs: { duplicates: 'error', scores: 'f64', missing: 'zero', noRelevant: 'skip', trecNames: false },
    source: 'LAReQA (arXiv 2004.05484) as in XTREME-R (arXiv 2104.07412): mAP@20',
  },
  msmarco: {
    name: 'msmarco',
    ties: 'id-ascending',
    apDivisor: 'min-k-relevant',
    gain: 'binary',
    map: 'RR@10',
    withoutRelevant: 'skip',
    identicalIds: 'keep',
    // Its script divides by all judged queries, and refuses a passage that is ranked twice.
    runs: { duplicates: 'error', scores: 'f64', missing: 'zero', noRelevant: 'zero', trecNames: false },
    source: 'github.com/microsoft/MSMARCO-Passage-Ranking, ms_marco_eval.py: MRR@10',
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
