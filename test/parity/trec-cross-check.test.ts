/**
 * Random rankings with ties, documents listed twice, missing and unjudged ones: our values equal those of
 * pytrec_eval, ir_measures, ranx and sentence-transformers to 1e-9, or the difference is a convention named
 * below. The committed sample is small; the two cross_check scripts beside this file make as many cases as
 * wanted, for SYNGLOT_CROSS_CHECK.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { evaluateRun, type ProfileName, topicValues } from '@synglot/eval';
import { expect, test } from 'vitest';

type Tool = 'pytrec_eval' | 'ir_measures' | 'ranx' | 'sentence-transformers';
interface Case {
  qrels: Record<string, number>;
  run: [string, number][];
  level: number;
  values: Partial<Record<Tool, (number | null)[]>>;
}
interface Collection extends Record<Exclude<Tool, 'sentence-transformers'>, number[]> {
  first: number;
  judged: string[];
  ranked: string[];
}

const sample = fileURLToPath(new URL('../fixtures/measures/cross-check.json', import.meta.url));
const file = process.env.SYNGLOT_CROSS_CHECK ?? sample;
const data = JSON.parse(readFileSync(file, 'utf8')) as {
  names: Partial<Record<Tool, string[]>>;
  cases: Case[];
  collections: Collection[];
};

const tolerance = 1e-9;

/** Our measure, and the profile whose conventions the tool follows for it. */
function ours(tool: Tool, name: string): { measure: string; profile: ProfileName } {
  // pytrec_eval is trec_eval 9.0.8, whose scores are floats; so are `beir`'s.
  if (tool === 'pytrec_eval') return { measure: name, profile: 'beir' };
  // ir_measures computes these itself: ties by ascending id, scores as doubles, like MS MARCO's script.
  if (name === 'RR@10' && tool === 'ir_measures') return { measure: name, profile: 'msmarco' };
  if (name === 'Judged@10') return { measure: name, profile: 'msmarco' };
  const [family = '', cutoff] = name.split('@');
  const families: Record<string, string> = {
    R: 'Recall',
    map: 'AP',
    ndcg: 'nDCG',
    precision: 'P',
    recall: 'Recall',
    'r-precision': 'Rprec',
    mrr: 'RR',
    hit_rate: 'Success',
    accuracy: 'Success',
  };
  const measure = (families[family] ?? family) + (cutoff ? `@${cutoff}` : '');
  return { measure, profile: tool === 'sentence-transformers' ? tool : 'beir' };
}

/** Where a tool's convention is another one, why; such values are not compared. */
function convention(tool: Tool, name: string): string | undefined {
  if (tool === 'pytrec_eval' && /^(iprec_at_recall|11pt_avg)/.test(name)) {
    return 'version 9 adds 0.9 to a recall level in documents, version 10 rounds it';
  }
  return undefined;
}

const mapOf = (entries: Iterable<readonly [string, number]>) => new Map(entries);

test(`values by topic, ${data.cases.length} cases`, () => {
  let compared = 0;
  const tools = ['pytrec_eval', 'ir_measures', 'ranx', 'sentence-transformers'] as const;
  const targets = tools.flatMap((tool) =>
    (data.names[tool] ?? []).map((name, index) => ({ tool, name, index, ...ours(tool, name) })),
  );
  const named = (wanted: ProfileName) => [
    ...new Set(
      targets
        .filter(({ profile, measure }) => profile === wanted && /@|^(AP|nDCG|RR|Rprec)$/.test(measure))
        .map(({ measure }) => measure),
    ),
  ];
  const measures = {
    beir: ['all_trec', ...named('beir')],
    msmarco: named('msmarco'),
    'sentence-transformers': named('sentence-transformers'),
  };
  for (const [index, { qrels, run, level, values }] of data.cases.entries()) {
    const judgments = new Map([['t', mapOf(Object.entries(qrels))]]);
    const ranking = { tag: 'r', topics: new Map([['t', mapOf(run)]]) };
    const got: Partial<Record<ProfileName, Record<string, number>>> = {};
    for (const profile of ['beir', 'msmarco', 'sentence-transformers'] as const) {
      // It measures no query without a relevant document.
      if (profile === 'sentence-transformers' && values[profile] === undefined) continue;
      const options = { profile, measures: measures[profile], relevanceLevel: level };
      const evaluation = evaluateRun(judgments, ranking, options);
      got[profile] = topicValues(evaluation).t!;
      for (const [i, { name, perTopic }] of evaluation.columns.entries()) {
        if (!perTopic) got[profile][name] = evaluation.topics[0]!.values[i] as number;
      }
    }
    for (const { tool, name, index: at, measure, profile } of targets) {
      const theirs = values[tool]?.[at];
      if (theirs === undefined || theirs === null || convention(tool, name)) continue;
      const mine = got[profile]?.[measure];
      const difference = Math.abs((mine ?? Number.NaN) - theirs);
      compared++;
      if (!(difference <= tolerance)) {
        expect.fail(`case ${index}: ${tool}'s ${name} is ${theirs}, ours ${measure} (${profile}) is ${mine}`);
      }
    }
  }
  expect(compared).toBeGreaterThan(100 * data.cases.length * 0.8);
});

test(`means over topics of which some are missing, ${data.collections.length} collections`, () => {
  expect(data.collections.length).toBeGreaterThan(0);
  for (const { first, judged, ranked, ...means } of data.collections) {
    const caseOf = (topic: string) => data.cases[Number(topic.slice(1))]!;
    const graded = (topic: string) => Object.entries(caseOf(topic).qrels).filter(([, grade]) => grade >= 0);
    const qrels = new Map(judged.map((topic) => [topic, mapOf(graded(topic))]));
    const run = { tag: 'r', topics: new Map(ranked.map((topic) => [topic, mapOf(caseOf(topic).run)])) };
    const mean = (complete: boolean) =>
      evaluateRun(qrels, run, {
        profile: 'beir',
        measures: ['AP', 'nDCG@10', 'Recall@10', 'RR@1000'],
        complete,
      }).summary;
    const close = (tool: Exclude<Tool, 'sentence-transformers'>, values: readonly unknown[]) => {
      for (const [i, value] of values.entries()) {
        const difference = Math.abs((value as number) - means[tool][i]!);
        if (!(difference <= tolerance)) {
          expect.fail(`collection at ${first}: ${tool}'s mean ${i} is ${means[tool][i]}, ours ${value}`);
        }
      }
    };
    // trec_eval leaves missing topics out of the mean; the other two count them as 0, like its -c.
    close('pytrec_eval', mean(false));
    close('ir_measures', mean(true));
    close('ranx', mean(true));
  }
});
