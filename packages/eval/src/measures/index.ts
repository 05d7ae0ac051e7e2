/**
 * Measures by name, written as ir_measures does: `AP`, `AP@20`, `nDCG@10`, `RR`, `RR@10`, `Recall@1`,
 * `P@5`, `Rprec`, `Success@1`, `Judged@10`.
 * A new measure is a file beside this one and a line in `families`.
 */
import { EvaluationError } from '../errors.js';
import type { Profile } from '../profiles.js';
import { averagePrecision } from './average-precision.js';
import { judged } from './judged.js';
import { ndcg } from './ndcg.js';
import { precision, rPrecision, success } from './precision.js';
import type { JudgedRanking } from './ranking.js';
import { recall } from './recall.js';
import { reciprocalRank } from './reciprocal-rank.js';

/** A measure as one profile defines it. */
export interface Measure {
  /** For example `nDCG@10`. */
  readonly name: string;
  /** Value for one query, in [0, 1]. */
  evaluate(ranking: JudgedRanking): number;
}

interface Family {
  /** `cutoff` is Infinity for a name without `@k`. */
  readonly evaluate: (ranking: JudgedRanking, cutoff: number, profile: Profile) => number;
  readonly cutoff: 'optional' | 'required' | 'none';
}

const families: Readonly<Record<string, Family>> = {
  AP: { evaluate: averagePrecision, cutoff: 'optional' },
  nDCG: { evaluate: ndcg, cutoff: 'optional' },
  RR: { evaluate: reciprocalRank, cutoff: 'optional' },
  Recall: { evaluate: recall, cutoff: 'required' },
  P: { evaluate: precision, cutoff: 'required' },
  Rprec: { evaluate: rPrecision, cutoff: 'none' },
  Success: { evaluate: success, cutoff: 'required' },
  Judged: { evaluate: judged, cutoff: 'required' },
};

/**
 * The measure called `name`, as `profile` defines it.
 *
 * @throws EvaluationError `INPUT_MEASURE` for an unknown name or a cut-off that is not a positive integer.
 * @example
 * measureNamed('AP@20', profiles.lareqa).evaluate({ relevantRanks: [1, 4], relevant: 2 }) // 0.75
 */
export function measureNamed(name: string, profile: Profile): Measure {
  const [, familyName = '', k] = /^([A-Za-z]+)(?:@([1-9]\d*))?$/.exec(name) ?? [];
  const family = Object.hasOwn(families, familyName) ? families[familyName] : undefined;
  if (family === undefined || family.cutoff === (k === undefined ? 'required' : 'none')) {
    const known = Object.entries(families).map(([known, { cutoff }]) =>
      cutoff === 'required' ? `${known}@k` : cutoff === 'none' ? known : `${known}, ${known}@k`,
    );
    throw new EvaluationError(
      'INPUT_MEASURE',
      `No measure "${name}"${likely(name)}; expected ${known.join(', ')} with k a positive integer.`,
    );
  }
  const cutoff = k === undefined ? Number.POSITIVE_INFINITY : Number(k);
  return { name, evaluate: (ranking) => family.evaluate(ranking, cutoff, profile) };
}

/** What other tools call our measures, in lower case without punctuation. */
const otherNames: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(families).map((name) => [name.toLowerCase(), name])),
  map: 'AP',
  mapcut: 'AP',
  mrr: 'RR',
  reciprank: 'RR',
  ndcgcut: 'nDCG',
  r: 'Recall',
  precision: 'P',
  hit: 'Success',
  hits: 'Success',
  hitrate: 'Success',
  accuracy: 'Success',
};

/** ` (did you mean "RR@10"?)` for another tool's name, such as `mrr@10`, `ndcg_cut_10` or `recall.100`. */
function likely(name: string): string {
  const [, word = '', k] = /^(.*?)(?:[@._](\d+))?$/.exec(name) ?? [];
  const known =
    otherNames[
      word
        .toLowerCase()
        .replace(/[^a-z]/g, '')
        .replace(/at$/, '')
    ];
  if (known === undefined) return '';
  const cutoff = families[known]!.cutoff;
  const at = cutoff === 'none' ? '' : k !== undefined ? `@${k}` : cutoff === 'required' ? '@10' : '';
  const meant = `${known}${at}`;
  return meant === name ? '' : ` (did you mean "${meant}"?)`;
}
