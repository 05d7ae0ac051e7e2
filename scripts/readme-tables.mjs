// Fills the README's tables from committed result files, so that no figure is typed by hand.
//
//   node scripts/readme-tables.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const start = /<!-- demo-table: (\S+) -->\n/;
const [marker, file] = readme.match(start) ?? [];
if (!file) throw new Error('README.md has no demo-table marker');
const end = '<!-- /demo-table -->';
const from = readme.indexOf(marker) + marker.length;
const to = readme.includes(end) ? readme.indexOf(end) : from;
const text = `${readme.slice(0, from)}\n${demoTable(JSON.parse(readFileSync(root + file, 'utf8')))}\n${end}${readme.slice(to).replace(end, '')}`;

if (process.argv.includes('--check')) {
  if (text !== readme) {
    console.error('README.md does not agree with its result files: run `node scripts/readme-tables.mjs`.');
    process.exit(1);
  }
  console.log('README tables agree with their result files');
} else {
  writeFileSync(`${root}README.md`, text);
}

function demoTable({ chance, runs, steps, languages, held_out_symbols: heldOut }) {
  const rows = [{ mode: 'chance', ...chance }, ...averaged(runs)];
  const lines = rows.map(
    ({ mode, map, rank_distance: distance }) =>
      `| ${mode} | ${digits(map.monolingual)} | ${digits(map.cross_lingual)} | ${digits(map.multilingual)} | ${distance.toFixed(0)} |`,
  );
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  return [
    '| batches | mAP mono | mAP cross | mAP multi | rank distance |',
    '|---|---|---|---|---|',
    ...lines,
    '',
    `${steps} steps each, ${languages.length} languages, ${heldOut} held-out symbols, ${seeds === 1 ? 'one seed' : `mean of ${seeds} seeds`}.`,
    '',
  ].join('\n');
}

function averaged(runs) {
  const modes = [...new Set(runs.map(({ mode }) => mode))];
  return modes.map((mode) => {
    const of = runs.filter((run) => run.mode === mode);
    const mean = (pick) => of.reduce((sum, run) => sum + pick(run), 0) / of.length;
    return {
      mode,
      map: {
        monolingual: mean(({ map }) => map.monolingual),
        cross_lingual: mean(({ map }) => map.cross_lingual),
        multilingual: mean(({ map }) => map.multilingual),
      },
      rank_distance: mean((run) => run.rank_distance),
    };
  });
}

function digits(value) {
  return value.toFixed(3);
}
