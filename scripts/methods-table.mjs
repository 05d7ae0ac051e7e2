// Fills the table of docs/methods.md from its committed result file, so that no figure is typed by hand.
//
//   node scripts/methods-table.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const page = `${root}docs/methods.md`;
const before = readFileSync(page, 'utf8');
const [whole, file] =
  before.match(/<!-- adversarial-table: (\S+) -->\n[\s\S]*?<!-- \/adversarial-table -->/) ?? [];
if (!file) throw new Error('docs/methods.md has no adversarial-table markers');
const table = adversarialTable(JSON.parse(readFileSync(root + file, 'utf8')));
const after = before.replace(
  whole,
  () => `<!-- adversarial-table: ${file} -->\n\n${table}\n\n<!-- /adversarial-table -->`,
);
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) {
  console.error('docs/methods.md does not agree with its result file: run `node scripts/methods-table.mjs`.');
  process.exit(1);
} else {
  console.log('docs/methods.md agrees with its result file');
}

function adversarialTable({ means, settings, device, commit }) {
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const rows = means.map(({ system, map, rank_distance: rank, probe_accuracy: probe }) => {
    const name = system.replace(/^lambda-/, 'λ = ');
    const measures = [map.monolingual, map.cross_lingual, map.multilingual].map((value) => value.toFixed(3));
    return `| ${[name, ...measures, rank.toFixed(0), percent(probe)].join(' | ')} |`;
  });
  const [{ seeds, probe_majority: majority }] = means;
  return [
    '| | mAP mono | mAP cross | mAP multi | rank distance | probe |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Means of ${seeds} seeds; ${settings.steps} steps of ${settings['batch-size']} pairs, languages ${settings.langs.replaceAll(',', ', ')}, of which the most frequent is ${percent(majority)} of the texts. ${device.name}, commit ${commit}${settings.note ? ` (${settings.note})` : ''}.`,
  ].join('\n');
}
