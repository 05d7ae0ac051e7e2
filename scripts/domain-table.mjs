// Fills the table of docs/domains.md from its committed result file, so that no figure is typed by hand.
//
//   node scripts/domain-table.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const page = `${root}docs/domains.md`;
const before = readFileSync(page, 'utf8');
const [whole, file] = before.match(/<!-- domain-table: (\S+) -->\n[\s\S]*?<!-- \/domain-table -->/) ?? [];
if (!file) throw new Error('docs/domains.md has no domain-table markers');
const table = domainTable(JSON.parse(readFileSync(root + file, 'utf8')));
const after = before.replace(
  whole,
  () => `<!-- domain-table: ${file} -->\n\n${table}\n\n<!-- /domain-table -->`,
);
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) {
  console.error('docs/domains.md does not agree with its result file: run `node scripts/domain-table.mjs`.');
  process.exit(1);
}

function domainTable({ results, outside, domain, settings, device, commit }) {
  const [first] = results;
  const cell = (value, base) => {
    const difference = value - base;
    const sign = difference < 0 ? '−' : '+';
    return value === base ? digits(value) : `${digits(value)} (${sign}${digits(Math.abs(difference))})`;
  };
  const lines = results.map((one) => {
    const cells = outside.langs.map((lang) => cell(one.outside[lang], first.outside[lang]));
    const [low, high] = one.domain_interval;
    const p =
      one.domain_p === undefined ? '' : `, p ${one.domain_p < 0.001 ? '< .001' : digits(one.domain_p)}`;
    const inDomain = `${cell(one.domain, first.domain)}, ${digits(low)}–${digits(high)}${p}`;
    return `| ${one.system} | ${inDomain} | ${cells.join(' | ')} |`;
  });
  const replay = Math.round(100 * Number(settings.replay));
  return [
    `| | ${domain.name} ${domain.measure}, 95% interval | ${outside.langs.map((lang) => `${outside.name} ${lang} mAP`).join(' | ')} |`,
    `|---|---|${outside.langs.map(() => '---|').join('')}`,
    ...lines,
    '',
    `${settings.steps} steps of ${settings['batch-size']} pairs, learning rate ${settings['learning-rate']}, ${replay}% of the batches replayed in the last row, one seed, texts of ${settings['max-length']} tokens. ${domain.name}: ${domain.queries} questions, ${domain.documents} documents${settings.documents === '0' ? '' : ' (the judged ones and others by hash)'}; ${outside.name}: ${outside.articles || 'all'} articles${outside.articles ? ' of 48' : ''}. ${device.name}, commit ${commit}.`,
  ].join('\n');
}

function digits(value) {
  return value.toFixed(3);
}
