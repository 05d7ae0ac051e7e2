/** Cross-check with trec_eval's own test files and the output it expects of them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { measureNamed } from './measures/index.js';
import { judgeRanking } from './measures/ranking.js';
import { profiles } from './profiles.js';
import { tieOrder } from './search/tie-order.js';
import { topK } from './search/top-k.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const shared = join(process.env.SYNGLOT_SHARED ?? join(root, '../shared'), 'data/trec_eval');
const missing = !existsSync(shared);
if (missing) console.warn(`skipped: trec_eval's test files are not at ${shared}; set SYNGLOT_SHARED`);

const fields = (file: string) =>
  readFileSync(join(shared, file), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));

/** trec_eval's names of our measures. */
const names: Record<string, string> = {
  map: 'AP',
  map_cut_5: 'AP@5',
  map_cut_20: 'AP@20',
  map_cut_1000: 'AP@1000',
  recip_rank: 'RR',
  ndcg: 'nDCG',
  ndcg_cut_5: 'nDCG@5',
  ndcg_cut_10: 'nDCG@10',
  ndcg_cut_100: 'nDCG@100',
  recall_5: 'Recall@5',
  recall_10: 'Recall@10',
  recall_1000: 'Recall@1000',
};

/** Values by trec_eval's name and topic, printed as trec_eval prints them. */
function evaluate(qrelsFile: string, runFile: string, relevanceLevel: number): Record<string, string> {
  const qrels = new Map<string, Map<string, number>>();
  for (const [topic, , id, grade] of fields(qrelsFile)) {
    if (!qrels.has(topic!)) qrels.set(topic!, new Map());
    qrels.get(topic!)!.set(id!, Number(grade));
  }
  const run = new Map<string, { id: string; score: number }[]>();
  for (const [topic, , id, , score] of fields(runFile)) {
    if (!run.has(topic!)) run.set(topic!, []);
    run.get(topic!)!.push({ id: id!, score: Number(score) });
  }
  const printed: Record<string, string> = {};
  for (const [trecName, name] of Object.entries(names)) {
    const measure = measureNamed(name, profiles.trec_eval);
    const values: number[] = [];
    for (const [topic, rows] of run) {
      const judged = qrels.get(topic)!;
      const scores = Float32Array.from(rows, ({ score }) => score);
      const pool = Uint32Array.from(rows.keys());
      const ids = rows.map(({ id }) => id);
      const order = topK(scores, 0, pool, rows.length, tieOrder(ids, profiles.trec_eval.ties));
      const grades = Array.from(order, (i) => judged.get(ids[i]!) ?? 0);
      const value = measure.evaluate(judgeRanking(grades, [...judged.values()], relevanceLevel));
      values.push(value);
      printed[`${trecName} ${topic}`] = value.toFixed(4);
    }
    printed[`${trecName} all`] = (values.reduce((a, b) => a + b, 0) / values.length).toFixed(4);
  }
  return printed;
}

describe.skipIf(missing && process.env.REQUIRE_SHARED !== '1')("trec_eval's own tests", () => {
  test.each([
    ['qrels.test', 'results.test', 1, 'out.test.aq'],
    ['qrels.rel_level', 'results.test', 2, 'out.test.aql'],
  ] as const)('%s with %s at level %d prints what %s says', (qrels, run, level, expectedFile) => {
    const expected = Object.fromEntries(
      fields(expectedFile)
        .filter(([name]) => Object.hasOwn(names, name!))
        .map(([name, topic, value]) => [`${name} ${topic}`, value]),
    );
    expect(Object.keys(expected)).toHaveLength(4 * Object.keys(names).length);
    expect(evaluate(qrels, run, level)).toEqual(expected);
  });

  test('the averages of out.test, its default measures', () => {
    const printed = evaluate('qrels.test', 'results.test', 1);
    const expected = Object.fromEntries(fields('out.test').map(([name, , value]) => [name, value]));
    expect(printed['map all']).toBe(expected.map);
    expect(printed['recip_rank all']).toBe(expected.recip_rank);
  });
});
