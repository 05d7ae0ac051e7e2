/**
 * trec_eval's measures by trec_eval's names, in the order in which it prints them, with its parameters and
 * default cut-offs. What `measures/` computes is taken from there. Not here: its preference measures
 * (`prefs_*`, `*_avgjg`), its experimental `yaap`, and z-scores.
 */
import { EvaluationError } from '../errors.js';
import { measureNamed } from '../measures/index.js';
import { profiles } from '../profiles.js';
import { rounded } from '../tables/decimal.js';
import * as gains from './gains.js';
import type { JudgedTopic } from './judge.js';
import * as judgments from './judgments.js';

/** One figure of a run: how it is computed for a topic, and what its figure over all topics is. */
export interface Column {
  /** As printed, for example `ndcg_cut_10` or `nDCG@10`. */
  readonly name: string;
  /** Over all topics: mean, sum, mean of logarithms, nothing, or the name of the run instead. */
  readonly summary: 'mean' | 'sum' | 'geometric' | 'none' | 'run';
  /** Whether the figure is given for single topics. */
  readonly perTopic: boolean;
  evaluate(topic: JudgedTopic): number | string;
}

type Parameters = 'cutoffs' | 'shares' | 'numbers' | 'gains';

interface Family {
  readonly parameters?: Parameters;
  readonly defaults?: readonly number[];
  readonly summary?: Column['summary'];
  readonly perTopic?: boolean;
  readonly evaluate: (topic: JudgedTopic, given: Given) => number | string;
}

/** Parameters of one column. */
interface Given {
  /** The cut-off or share of this column. */
  readonly value: number;
  /** All numbers, for measures that take several. */
  readonly numbers: readonly number[];
  readonly gains: gains.GainOverrides;
  /** Persistence of rbp. */
  readonly p: number;
}

const cutoffs = [5, 10, 15, 20, 30, 100, 200, 500, 1000];
const tenths = (from: number, to: number, step: number) =>
  Array.from({ length: (to - from) / step + 1 }, (_, i) => (from + i * step) / 10);
const recallLevels = tenths(0, 10, 1);
const leastGeometric = 0.00001;

const named = (name: string) => {
  const measure = measureNamed(name, profiles.trec_eval);
  return (topic: JudgedTopic) => measure.evaluate(topic.ranking);
};
const atCutoff = (name: string): Family => ({
  parameters: 'cutoffs',
  defaults: cutoffs,
  evaluate: (topic, { value }) =>
    measureNamed(`${name}@${value}`, profiles.trec_eval).evaluate(topic.ranking),
});
const count = (evaluate: (topic: JudgedTopic) => number): Family => ({ summary: 'sum', evaluate });
const geometric = (evaluate: (topic: JudgedTopic) => number): Family => ({
  summary: 'geometric',
  perTopic: false,
  evaluate: (topic) => Math.log(Math.max(evaluate(topic), leastGeometric)),
});
const withGains = (evaluate: (topic: JudgedTopic, overrides: gains.GainOverrides) => number): Family => ({
  parameters: 'gains',
  evaluate: (topic, given) => evaluate(topic, given.gains),
});

/** In the order of measures.c. */
const families: Readonly<Record<string, Family>> = {
  runid: { summary: 'run', perTopic: false, evaluate: () => '' },
  num_q: { summary: 'sum', perTopic: false, evaluate: () => 1 },
  num_ret: count((topic) => topic.retrieved),
  num_rel: count((topic) => topic.relevant),
  num_rel_ret: count((topic) => topic.relevantRetrieved),
  map: { evaluate: named('AP') },
  gm_map: geometric(named('AP')),
  Rprec: { evaluate: named('Rprec') },
  bpref: { evaluate: judgments.binaryPreference },
  recip_rank: { evaluate: named('RR') },
  iprec_at_recall: {
    parameters: 'shares',
    defaults: recallLevels,
    evaluate: (topic, { value }) => judgments.interpolatedPrecision(topic, value),
  },
  P: atCutoff('P'),
  relstring: {
    parameters: 'numbers',
    defaults: [10],
    summary: 'none',
    evaluate: (topic, { numbers }) => gradeString(topic, numbers[0]!),
  },
  recall: atCutoff('Recall'),
  infAP: { evaluate: judgments.inferredAp },
  gm_bpref: geometric(judgments.binaryPreference),
  Rprec_mult: {
    parameters: 'shares',
    defaults: tenths(2, 20, 2),
    evaluate: (topic, { value }) => judgments.precisionAtMultiple(topic, value),
  },
  utility: {
    parameters: 'numbers',
    defaults: [1, -1, 0, 0],
    evaluate: (topic, { numbers }) => judgments.utility(topic, numbers),
  },
  '11pt_avg': {
    parameters: 'numbers',
    defaults: recallLevels,
    evaluate: (topic, { numbers }) => judgments.meanInterpolatedPrecision(topic, numbers),
  },
  binG: { evaluate: gains.binaryGain },
  G: withGains(gains.normalisedGain),
  ndcg: withGains(gains.ndcgWithGains),
  ndcg_rel: withGains(gains.ndcgAtRelevant),
  Rndcg: withGains(gains.ndcgAtLevels),
  ndcg_cut: atCutoff('nDCG'),
  map_cut: atCutoff('AP'),
  relative_P: {
    parameters: 'cutoffs',
    defaults: cutoffs,
    evaluate: (topic, { value }) => judgments.relativePrecision(topic, value),
  },
  success: { ...atCutoff('Success'), defaults: [1, 5, 10] },
  set_P: { evaluate: judgments.setPrecision },
  set_relative_P: { evaluate: judgments.setRelativePrecision },
  set_recall: { evaluate: judgments.setRecall },
  set_map: { evaluate: judgments.setMap },
  set_F: {
    parameters: 'numbers',
    defaults: [1],
    evaluate: (topic, { numbers }) => judgments.setF(topic, numbers[0]!),
  },
  num_nonrel_judged_ret: count(judgments.judgedNonRelevant),
  rbp: {
    parameters: 'gains',
    evaluate: (topic, given) => gains.rankBiasedPrecision(topic, given.gains, given.p),
  },
  rbp_resid: {
    parameters: 'gains',
    evaluate: (topic, given) => gains.rankBiasedResidual(topic, given.p),
  },
  unj: {
    parameters: 'cutoffs',
    defaults: [5, 10, 20],
    evaluate: (topic, { value }) => judgments.unjudgedShare(topic, value),
  },
};

const names = Object.keys(families);
/** Names that stand for several measures. */
const groups: Readonly<Record<string, readonly string[]>> = {
  official: names.slice(0, names.indexOf('relstring')),
  set: [
    'runid',
    'num_q',
    'num_ret',
    'num_rel',
    'num_rel_ret',
    'utility',
    ...names.filter((name) => /^set_/.test(name)),
  ],
  all_trec: names,
};

/** Whether `-m` of trec_eval takes this: a measure or group, with or without parameters after a dot. */
export function isTrecName(specification: string): boolean {
  const name = specification.split('.', 1)[0]!;
  return Object.hasOwn(families, name) || Object.hasOwn(groups, name);
}

/**
 * The columns that `-m` names, in trec_eval's order.
 *
 * @param specifications - as `map`, `P.5,10`, `ndcg.1=3,2=9`, `official`, `all_trec`; default `official`
 * @throws EvaluationError `INPUT_MEASURE`
 */
export function trecColumns(specifications: readonly string[] = ['official']): Column[] {
  const wanted = new Set<string>();
  const parameters = new Map<string, string>();
  for (const specification of specifications) {
    const dot = specification.indexOf('.');
    const name = dot === -1 ? specification : specification.slice(0, dot);
    if (!isTrecName(name)) {
      throw new EvaluationError(
        'INPUT_MEASURE',
        `trec_eval has no measure "${name}", or it is not among those here; expected ${Object.keys(groups).join(', ')} or some of ${names.join(', ')}.`,
      );
    }
    for (const member of groups[name] ?? [name]) wanted.add(member);
    if (dot !== -1 && !parameters.has(name)) parameters.set(name, specification.slice(dot + 1));
  }
  return names.filter((name) => wanted.has(name)).flatMap((name) => columnsOf(name, parameters.get(name)));
}

function columnsOf(name: string, text: string | undefined): Column[] {
  const family = families[name]!;
  const kind = family.parameters;
  const base: Given = { value: 0, numbers: family.defaults ?? [], gains: new Map(), p: 0.9 };
  const column = (printed: string, given: Given): Column => ({
    name: printed,
    summary: family.summary ?? 'mean',
    perTopic: family.perTopic ?? true,
    evaluate: (topic) => family.evaluate(topic, given),
  });
  const refuse = (expected: string) =>
    new EvaluationError('INPUT_MEASURE', `-m ${name}.${text}: expected ${expected}.`);
  if (kind === 'cutoffs' || kind === 'shares') {
    // trec_eval reads the whole part of a cut-off.
    const read = (part: string) => (kind === 'cutoffs' ? Math.trunc(Number(part)) : Number(part));
    const values = text === undefined ? [...base.numbers] : text.split(',').map(read);
    values.sort((a, b) => a - b);
    const bad = values.some(
      (value, i) => !(value >= (kind === 'cutoffs' ? 1 : 0)) || value === values[i - 1],
    );
    if (bad) throw refuse(`different ${kind === 'cutoffs' ? 'ranks from 1' : 'numbers from 0'}, as in 5,10`);
    const print = (value: number) => (kind === 'cutoffs' ? String(value) : rounded(value, 2));
    return values.map((value) => column(`${name}_${print(value)}`, { ...base, value }));
  }
  if (text === undefined) return [column(name, base)];
  if (kind === 'numbers') {
    const numbers = text.split(',').map(Number);
    const expected = name === 'utility' ? 4 : 0;
    if (numbers.some(Number.isNaN) || (expected !== 0 && numbers.length !== expected)) {
      throw refuse(expected === 0 ? 'numbers, as in 10' : `${expected} numbers, as in 1,-1,0,0`);
    }
    return [column(`${name}_${text}`, { ...base, numbers })];
  }
  if (kind === 'gains') {
    const pairs = text.split(',').map((pair) => pair.split('='));
    if (pairs.some((pair) => pair.length !== 2 || pair[0] === '' || !(Number(pair[1]) > -1e9))) {
      throw refuse('grades with their gains, as in 1=3,2=9');
    }
    const p = Number(pairs.find(([key]) => key === 'p')?.[1] ?? base.p);
    const levels = pairs.filter(([key]) => /^[+-]?\d+$/.test(key!));
    const overrides = new Map(levels.map(([key, gain]) => [Number(key), Number(gain)]));
    return [column(`${name}_${text}`, { ...base, gains: overrides, p })];
  }
  throw refuse('no parameters');
}

/** The first documents' grades as one character each. */
function gradeString({ grades }: JudgedTopic, length: number): string {
  const character = (grade: number) =>
    grade > 9 ? '>' : grade >= 0 ? String(grade) : grade === -1 ? '-' : '.';
  return `'${Array.from(grades.subarray(0, Math.max(0, length)), character).join('')}'`;
}
