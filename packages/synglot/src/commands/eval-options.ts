/** Options of `synglot eval` that do not go together, or with the kind of benchmark: told before any work. */
import { EvaluationError } from '@synglot/eval';
import type { EvalOptions } from './eval.js';

/** By kind of benchmark: options of other kinds. They would have no effect, so giving one is a mistake. */
const idle = {
  parallel: { store: '--store' },
  suite: { saveRun: '--save-run', depth: '--depth', store: '--store', perQuery: '--per-query' },
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
  },
  'ad-hoc': {
    saveEmbeddings: '--save-embeddings',
    perQuery: '--per-query',
    rankCorrelation: '--rank-correlation',
  },
} as const satisfies Record<string, { readonly [K in keyof EvalOptions]?: string }>;

/** What such an option is for. */
const companions = {
  parallel: 'judged collections such as miracl or beir',
  suite: 'one --task',
  bitext: 'judged collections such as miracl or beir',
  'ad-hoc': 'parallel benchmarks',
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

/** @throws EvaluationError `INPUT_EMBEDDINGS` unless a model is given, or the embeddings of both sides */
export function requireEmbeddings({ model, queryEmbeddings, passageEmbeddings, suite }: EvalOptions): void {
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
}
