/** Options of `synglot eval` that do not go together, or with the kind of benchmark: told before any work. */
import { EvaluationError } from '@synglot/eval';
import type { Command } from 'commander';
import type { EvalOptions } from './eval.js';
import type { RunEvalOptions } from './eval-run.js';

/** By kind of benchmark: options of other kinds. They would have no effect, so giving one is a mistake. */
const idle = {
  parallel: { store: '--store' },
  suite: {
    saveRun: '--save-run',
    saveEmbeddings: '--save-embeddings',
    depth: '--depth',
    store: '--store',
    perQuery: '--per-query',
    split: '--split',
    corpusLang: '--corpus-lang',
    predictions: '--predictions',
  },
  bitext: {
    saveRun: '--save-run',
    depth: '--depth',
    store: '--store',
    measures: '--measures',
    profile: '--profile',
    saveEmbeddings: '--save-embeddings',
    queryPrefix: '--query-prefix',
    perQuery: '--per-query',
    rankCorrelation: '--rank-correlation',
    context: '--context',
  },
  'ad-hoc': {
    saveEmbeddings: '--save-embeddings',
    perQuery: '--per-query',
    rankCorrelation: '--rank-correlation',
    context: '--context',
  },
  predictions: {
    model: '--model',
    queryEmbeddings: '--query-embeddings',
    passageEmbeddings: '--passage-embeddings',
    saveRun: '--save-run',
    depth: '--depth',
    store: '--store',
    queryPrefix: '--query-prefix',
    passagePrefix: '--passage-prefix',
    maxLength: '--max-length',
    dimension: '--dimension',
  },
} as const satisfies Record<string, { readonly [K in keyof EvalOptions]?: string }>;

/** What such an option is for. */
const companions = {
  parallel: 'judged collections such as miracl or beir',
  suite: 'one --task',
  bitext: 'other benchmarks',
  'ad-hoc': 'parallel benchmarks',
  predictions: 'a search',
} as const;

/** @throws EvaluationError `INPUT_COLLECTION` for an option that the kind of benchmark has no use for */
export function refuseIdle(what: string, kind: keyof typeof idle, options: EvalOptions): void {
  const names = Object.entries(idle[kind]) as [keyof EvalOptions, string][];
  const given = names.find(([key]) => options[key] !== undefined);
  if (given === undefined) return;
  throw new EvaluationError(
    'INPUT_COLLECTION',
    `${given[1]} is not for ${what}: it goes with ${companions[kind]}; leave it out`,
  );
}

/** Names of what is for files of rankings alone. */
const ofRuns = new Set(
  'qrels run format measure perTopic summary complete relevanceLevel maxRanked judgedOnly test correction mtebTask'.split(
    ' ',
  ),
);
/** Of what such files share with models. */
const shared = new Set(['profile', 'measures', 'json', 'seed', 'device', 'executor']);
/** What only one form of output has; the last two say in MTEB's what was evaluated. */
const ofForm: Readonly<Record<string, RunEvalOptions['format']>> = {
  perTopic: 'trec_eval',
  summary: 'trec_eval',
  mtebTask: 'mteb',
  split: 'mteb',
  langs: 'mteb',
};
const ofSeveral = new Set(['test', 'correction']);

/**
 * Refuses options of models where rankings are measured, options of rankings where a model is, and those of another form
 * of output.
 *
 * @throws EvaluationError `INPUT_COLLECTION`
 */
export function refuseOthers(command: Command, runs: boolean): void {
  const options = command.opts<RunEvalOptions>();
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    const why = runs ? whyIdle(name, options) : ofRuns.has(name) && 'is for --qrels and --run';
    if (why) throw new EvaluationError('INPUT_COLLECTION', `${option.long}: ${why}; leave it out`);
  }
}

/** Why an option has no effect on the figures of rankings. */
function whyIdle(name: string, { format, run = [] }: RunEvalOptions): string | undefined {
  const form = ofForm[name];
  if (form !== undefined) return form === format ? undefined : `goes with --format ${form} here`;
  if (!ofRuns.has(name) && !shared.has(name)) return 'is not for --qrels and --run';
  if (ofSeveral.has(name) && run.length < 2) return 'is for several --run';
  if (name.startsWith('measure') && format === 'mteb')
    return "is not for --format mteb, which has MTEB's own";
  return undefined;
}

/** @throws EvaluationError `INPUT_COLLECTION` for what would be kept in a file that is not asked for */
export function checkKept({ saveEmbeddings, perQuery, json }: EvalOptions): void {
  if (json !== undefined) return;
  if (saveEmbeddings !== undefined) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      '--save-embeddings goes with --json, whose report names them',
    );
  }
  if (perQuery) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      '--per-query goes with --json, whose report has the values',
    );
  }
}

/** @throws EvaluationError `INPUT_COLLECTION` for a depth that would be passed over */
export function checkDepth(what: string, { depth, saveRun }: EvalOptions): void {
  if (depth === undefined || saveRun !== undefined) return;
  throw new EvaluationError(
    'INPUT_COLLECTION',
    `--depth: ${what} ranks all passages; it is for --save-run, which keeps so many of each ranking`,
  );
}

/** How a model encodes texts. */
const ofEncoding = {
  queryPrefix: '--query-prefix',
  passagePrefix: '--passage-prefix',
  maxLength: '--max-length',
  dimension: '--dimension',
  context: '--context',
  store: '--store',
} as const satisfies { readonly [K in keyof EvalOptions]?: string };

/** @throws EvaluationError `INPUT_EMBEDDINGS` unless a model is given, or the embeddings of both sides */
export function requireEmbeddings(options: EvalOptions): void {
  const { model, queryEmbeddings, passageEmbeddings, suite, ...rest } = options;
  const given = queryEmbeddings !== undefined && passageEmbeddings !== undefined;
  if (model === undefined && !given) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      'give --model, or both --query-embeddings and --passage-embeddings',
    );
  }
  if (given && (model !== undefined || suite !== undefined)) {
    throw new EvaluationError('INPUT_EMBEDDINGS', 'embeddings are given: leave --model and --suite out');
  }
  const idle = Object.entries(ofEncoding).find(([key]) => rest[key as keyof typeof ofEncoding] !== undefined);
  if (given && idle) {
    throw new EvaluationError('INPUT_EMBEDDINGS', `embeddings are given as they are: leave ${idle[1]} out`);
  }
}
