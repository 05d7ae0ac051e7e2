// Fills the benchmark tables of docs/evaluation.md from a committed result file.
//
//   node scripts/evaluation-tables.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const page = `${root}docs/evaluation.md`;
const file = 'packages/eval/results/lavapipe/minilm-benchmarks.json';
const { evaluations } = JSON.parse(readFileSync(root + file, 'utf8'));
const before = readFileSync(page, 'utf8');
const [open, close] = ['<!-- benchmarks -->', '<!-- /benchmarks -->'];
const [from, to] = [before.indexOf(open), before.indexOf(close)];
if (from < 0 || to < from) throw new Error(`docs/evaluation.md has no ${open} … ${close}`);
const after = `${before.slice(0, from)}${open}\n\n${lines().join('\n')}\n\n${before.slice(to)}`;
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) {
  console.error(
    'docs/evaluation.md does not agree with its result file: run `node scripts/evaluation-tables.mjs`.',
  );
  process.exit(1);
}

function lines() {
  const of = (task) => evaluations.filter((each) => each.task === task);
  const [xquad] = of('xquad-r');
  const miracl = of('miracl').flatMap(({ reports }) => reports);
  const [tatoeba] = of('tatoeba');
  const digits = (value) => value.toFixed(3);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const out = [];
  if (xquad) {
    const { map, rank_distance } = xquad.summary;
    const { measures, rank_distance: distance } = xquad.intervals;
    const range = (interval, places = 3) => interval.map((end) => end.toFixed(places)).join('–');
    const setting = (name) => `${digits(map[name])} (${range(measures[xquad.map_measure][name])})`;
    const sum = (counts) =>
      Object.values(counts)
        .reduce((total, count) => total + count, 0)
        .toLocaleString('en');
    out.push(
      `**XQuAD-R**, ${xquad.langs.length} languages, ${sum(xquad.counts.candidates)} candidates, ${sum(xquad.counts.queries)} questions (95% intervals):`,
      '',
      '| mAP mono | mAP cross | mAP multi | rank distance |',
      '|---|---|---|---|',
      `| ${setting('monolingual')} | ${setting('cross_lingual')} | ${setting('multilingual')} | ${rank_distance.toFixed(1)} (${range(distance, 1)}) |`,
      '',
    );
  }
  if (miracl.length > 0) {
    out.push(
      `**MIRACL**, a subset of ${miracl.length} languages, ${miracl.reduce((total, { documents }) => total + documents, 0).toLocaleString('en')} passages, texts cut at ${of('miracl')[0].max_length} tokens:`,
      '',
      '| | passages | questions | nDCG@10 | Recall@100 |',
      '|---|---|---|---|---|',
      ...miracl
        .sort((a, b) => a.lang.localeCompare(b.lang))
        .map((each) => {
          const { 'nDCG@10': ndcg, 'Recall@100': recall } = each.means;
          return `| ${each.lang} | ${each.documents} | ${each.queries} | ${digits(ndcg)} | ${digits(recall)} |`;
        }),
      `| mean | | | ${digits(mean(miracl.map(({ means }) => means['nDCG@10'])))} | ${digits(mean(miracl.map(({ means }) => means['Recall@100'])))} |`,
      '',
    );
  }
  if (tatoeba) {
    const sentences = tatoeba.reports.reduce((total, each) => total + each.sentences, 0).toLocaleString('en');
    const accuracy = (key) => digits(mean(tatoeba.reports.map((each) => each[key])));
    out.push(
      `**Tatoeba**, ${tatoeba.reports.length} languages, ${sentences} pairs of sentences, texts cut at ${tatoeba.max_length} tokens: accuracy ${accuracy('accuracy_forward')} into English, ${accuracy('accuracy_backward')} out of it, means over languages.`,
      '',
    );
  }
  const made = [...new Set(evaluations.map(({ commit }) => commit))].map((commit) => {
    const tasks = new Set(evaluations.filter((each) => each.commit === commit).map(({ task }) => task));
    return `${commit} (${[...tasks].join(', ')})`;
  });
  out.push(`[${file.split('/').at(-1)}](../${file}), commits ${made.join(', ')}, ${evaluations[0].device}.`);
  return out;
}
