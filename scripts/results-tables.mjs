// Fills docs/results.md from the committed results of two sweeps: over alpha, and over learning rates.
//
//   node scripts/results-tables.mjs [--check]
//   node scripts/results-tables.mjs --from runs/results --rates runs/rates --commit HASH   takes their sweep.json first
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const result = 'packages/bench/results/hybrid-from-scratch.json';
const rates = 'packages/bench/results/hybrid-from-scratch-rates.json';
const picture = 'docs/images/hybrid-from-scratch.svg';
const path = `${root}docs/results.md`;
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

if (option('--from')) take(option('--from'), result);
if (option('--rates')) take(option('--rates'), rates);
const data = readResult(result);
const rows = byAlpha(data.settings);
const text = readFileSync(path, 'utf8');
const filled = [
  ['figures', figureTable()],
  ['tests', testTable()],
  ['finding', finding()],
  ['rates', ratesTable()],
  ['origin', origin()],
].reduce((page, [tag, lines]) => put(page, tag, lines), text);

if (process.argv.includes('--check')) {
  if (filled !== text) {
    console.error(
      'docs/results.md does not agree with its result file: run `node scripts/results-tables.mjs`.',
    );
    process.exit(1);
  }
  console.log('docs/results.md agrees with its result file');
} else {
  writeFileSync(path, filled);
}

/** Keeps a sweep's result with the commit that it was made at, and its curve over alpha if it has one. */
function take(folder, path) {
  const commit =
    option('--commit') ?? execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const sweep = JSON.parse(readFileSync(`${folder}/sweep.json`, 'utf8'));
  const rounded = (_key, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(8)) : value;
  writeFileSync(`${root}${path}`, `${JSON.stringify({ commit, ...sweep }, rounded, 2)}\n`);
  const curve = `${folder}/curve-sampling.alpha.svg`;
  if (path === result && existsSync(curve)) copyFileSync(curve, `${root}${picture}`);
}

function readResult(path) {
  return JSON.parse(readFileSync(`${root}${path}`, 'utf8'));
}

/** Settings with their alpha, from the monolingual ones to the cross-lingual ones. */
function byAlpha(settings) {
  return settings
    .map((setting) => ({ ...setting, alpha: Number(setting.values[0].split('=')[1]) }))
    .sort((a, b) => b.alpha - a.alpha);
}

function put(page, tag, lines) {
  const [open, close] = [`<!-- ${tag} -->`, `<!-- /${tag} -->`];
  const [from, to] = [page.indexOf(open), page.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`docs/results.md has no ${open} … ${close}`);
  return `${page.slice(0, from)}${open}\n\n${lines.join('\n').trimEnd()}\n\n${page.slice(to)}`;
}

function nameOf(alpha) {
  if (alpha === 1) return 'X-X-mono (α = 1)';
  if (alpha === 0) return 'X-Y (α = 0)';
  return `hybrid, α = ${alpha}`;
}

function figure(value, digits) {
  const mean = value.mean.toFixed(digits);
  return value.high === null ? mean : `${mean} ± ${(value.high - value.mean).toFixed(digits)}`;
}

function figureTable() {
  return [
    '| batches | mAP mono | mAP cross | mAP multi | rank distance |',
    '|---|---|---|---|---|',
    ...rows.map(({ alpha, figures }) => {
      const maps = ['mAP monolingual', 'mAP cross-lingual', 'mAP multilingual'].map((name) =>
        figure(figures[name], 3),
      );
      return `| ${nameOf(alpha)} | ${maps.join(' | ')} | ${figure(figures['rank distance'], 0)} |`;
    }),
  ];
}

/** One seed that is not among the others; the rate with the lowest validation loss of its kind of batches is starred. */
function ratesTable() {
  const { settings, seeds, commit } = readResult(rates);
  return [
    '| batches | learning rate | validation loss | mAP mono | mAP cross | mAP multi | rank distance |',
    '|---|---|---|---|---|---|---|',
    ...byAlpha(settings).map(({ alpha, values, figures, validation_loss: loss, chosen }) => {
      const maps = ['mAP monolingual', 'mAP cross-lingual', 'mAP multilingual'].map((name) =>
        figure(figures[name], 3),
      );
      const rate = values[1].split('=')[1];
      return `| ${nameOf(alpha)} | ${rate}${chosen ? ' *' : ''} | ${figure(loss, 3)} | ${maps.join(' | ')} | ${figure(figures['rank distance'], 0)} |`;
    }),
    '',
    `Seed ${seeds.join(', ')}; * lowest validation loss of its kind of batches, with which those of other kinds cannot be compared; commit ${commit}. ([result file](../${rates}))`,
  ];
}

function testTable() {
  const signed = (value, digits) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
  const probability = (p) => (p < 0.001 ? '< 0.001' : p.toFixed(3));
  return [
    '| against hybrid, α = 0.5 | figure | difference | 95% over seeds | p, Holm |',
    '|---|---|---|---|---|',
    ...data.comparisons.map(({ system, figure: name, difference, over_seeds: seeds, p_adjusted: p }) => {
      const digits = name === 'rank distance' ? 0 : 3;
      const { low, high } = seeds;
      const interval = low === null ? '–' : `${signed(low, digits)} … ${signed(high, digits)}`;
      const cells = [
        nameOf(Number(system.split('=')[1])),
        name,
        signed(difference, digits),
        interval,
        probability(p),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

/** What the published effect says, and whether these figures say the same; worded by the numbers alone. */
function finding() {
  const at = (alpha, name) => rows.find((row) => row.alpha === alpha).figures[name].mean;
  const test = (alpha, name) =>
    data.comparisons.find(
      ({ system, figure: each }) => system === `sampling.alpha=${alpha}` && each === name,
    );
  const lines = [];
  const distance = [at(1, 'rank distance'), at(0.5, 'rank distance')];
  const change = (100 * (distance[1] - distance[0])) / distance[0];
  lines.push(
    `- Rank distance, X-X-mono → hybrid: ${distance.map((value) => value.toFixed(0)).join(' → ')} (${change.toFixed(0)}%; published −30%). ${change < 0 ? 'Agrees in direction' : 'Does not agree'}.`,
  );
  for (const [name, published] of [
    ['mAP cross-lingual', '.674 → .705'],
    ['mAP multilingual', '.548 → .593'],
    ['mAP monolingual', '.792 → .798'],
  ]) {
    const [before, after] = [at(1, name), at(0.5, name)];
    const tested = test(1, name);
    const { p_adjusted: p } = tested;
    const agrees = after > before ? 'rises, as published' : 'falls, unlike published';
    const certain =
      p < 0.05 ? `p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}` : `not significant, p = ${p.toFixed(2)}`;
    const seeds = coversNone(tested) ? '; the interval over seeds covers 0' : '';
    lines.push(
      `- ${name}, X-X-mono → hybrid: ${before.toFixed(3)} → ${after.toFixed(3)} (published ${published}): ${agrees} (${certain}${seeds}).`,
    );
  }
  const against = ['mAP monolingual', 'mAP cross-lingual', 'mAP multilingual', 'rank distance'].map(
    (name) => {
      const better = name === 'rank distance' ? at(0.5, name) < at(0, name) : at(0.5, name) > at(0, name);
      const tested = test(0, name);
      const { p_adjusted: p } = tested;
      const doubts = [
        ...(p < 0.05 ? [] : [`not significant, p = ${p.toFixed(2)}`]),
        ...(coversNone(tested) ? ['the interval over seeds covers 0'] : []),
      ];
      return `${better ? 'better' : 'worse'} in ${name}${doubts.length > 0 ? ` (${doubts.join('; ')})` : ''}`;
    },
  );
  lines.push(
    `- Hybrid beside X-Y: ${against.join(', ')}. Published: better in all four but multilingual mAP (.593 and .593).`,
  );
  const best = ['mAP monolingual', 'mAP cross-lingual', 'mAP multilingual', 'rank distance'].map((name) => {
    const sign = name === 'rank distance' ? -1 : 1;
    const { alpha, figures } = rows.reduce((a, b) =>
      sign * b.figures[name].mean > sign * a.figures[name].mean ? b : a,
    );
    return `${name} at α = ${alpha} (${figures[name].mean.toFixed(name === 'rank distance' ? 0 : 3)})`;
  });
  lines.push(`- Best of the ${rows.length} α: ${best.join(', ')}.`);
  return lines;
}

/** Other seeds could turn the difference round, whatever the test over questions says of these. */
function coversNone({ over_seeds: { low, high } }) {
  return low !== null && low <= 0 && high >= 0;
}

function origin() {
  const { langs, queries, seeds, device, commit, settings } = data;
  const seconds = settings.flatMap(({ runs }) => runs.map(({ training_seconds: each }) => each));
  const total = seconds.reduce((sum, each) => sum + each, 0) / 60;
  const { questions, passages } = settings[0].runs[0].seen_in_training;
  return [
    `${langs.length} languages (${langs.join(', ')}), ${queries} held-out questions, a translation counted as its own; seeds ${seeds.join(', ')}; ${settings[0].runs[0].steps} updates a run, ${seconds.length} runs, ${total.toFixed(0)} minutes of training on ${device}; commit ${commit}. ([result file](../${result}))`,
    '',
    `Word for word, ${questions.shared} of the questions (titles such as "Translate") and ${passages.shared} of the ${passages.all} passages are in the training data too.`,
  ];
}
