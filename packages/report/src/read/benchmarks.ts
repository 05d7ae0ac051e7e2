/** Which runs were asked the same: one name may stand for other languages, or other held-out passages, in each run. */
import type { AskedModel, RunModel } from '../model.js';

interface Benchmark {
  readonly name: string;
  readonly asked: AskedModel;
  readonly runs: RunModel[];
}

/**
 * The runs, with one name for each benchmark. Where runs of one name were not asked the same, those with the most
 * languages keep it; the others have their languages or a number behind it.
 */
export function benchmarksApart(runs: readonly RunModel[]): RunModel[] {
  const benchmarks: Benchmark[] = [];
  for (const run of runs) {
    const { task: name, asked = { langs: [] } } = run;
    const known = benchmarks.find((each) => each.name === name && isSame(each.asked, asked));
    if (known) known.runs.push(run);
    else benchmarks.push({ name, asked, runs: [run] });
  }
  const used = new Set<string>();
  const names = new Map<RunModel, string>();
  for (const { name, asked, runs: own } of benchmarks.sort(byLanguages)) {
    const stem = used.has(name) && !hasLanguages(name, asked) ? `${name} (${asked.langs.join(', ')})` : name;
    let unique = stem;
    for (let number = 2; used.has(unique); number++) unique = `${stem} (${number})`;
    used.add(unique);
    for (const run of own) names.set(run, unique);
  }
  return runs.map((run) => ({ ...run, task: names.get(run)! }));

  function hasLanguages(name: string, { langs }: AskedModel): boolean {
    const first = benchmarks.find((each) => each.name === name)!;
    return langs.length === 0 || first.asked.langs.join() === langs.join();
  }
}

function isSame(a: AskedModel, b: AskedModel): boolean {
  if (a.content !== undefined && b.content !== undefined) return a.content === b.content;
  return JSON.stringify([a.langs, a.counts]) === JSON.stringify([b.langs, b.counts]);
}

function byLanguages(a: Benchmark, b: Benchmark): number {
  return b.asked.langs.length - a.asked.langs.length;
}
