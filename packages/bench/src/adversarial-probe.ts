/**
 * Adversarial training beside plain: retrieval on held-out passages, and how well a fresh linear probe tells the
 * language of their embeddings. An encoder with random weights, several strengths of the gradient reversal.
 *
 *   node packages/bench/dist/adversarial-probe.js --device lavapipe [--steps 300] [--seeds 3] [--lambdas 0.1,1]
 *     [--langs de,en,es,fr,it] [--shared ../shared/data] [--work FOLDER]
 *
 * Runs `synglot sweep` and `synglot probe`, and continues in `--work` where it was stopped. Results:
 * `packages/bench/results/<device>/adversarial-probe.json`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chosenDevice, synglotOn } from './command.js';
import { environment, writeResult } from './results.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'lavapipe' },
    steps: { type: 'string', default: '300' },
    seeds: { type: 'string', default: '3' },
    lambdas: { type: 'string', default: '0.1,1' },
    'batch-size': { type: 'string', default: '32' },
    'learning-rate': { type: 'string', default: '6e-3' },
    'learning-rate-scale': { type: 'string', default: '1' },
    limit: { type: 'string', default: '3000' },
    langs: { type: 'string', default: 'de,en,es,fr,it' },
    shared: { type: 'string', default: join(root, '../shared/data') },
    work: { type: 'string', default: join(tmpdir(), 'synglot-adversarial-probe') },
    note: { type: 'string' },
  },
});

const synglot = synglotOn(values.device);

/** A configuration; null is plain training. */
function writeConfig(name: string, lambda: string | null): string {
  const adversarial = `adversarial: { hidden: 64, lambda: ${lambda}, learning_rate_scale: ${values['learning-rate-scale']} }\n`;
  const path = join(values.work, `${name}.yaml`);
  writeFileSync(
    path,
    `model: fresh
fresh_model: { vocabulary_size: 6000, tokenizer: wordpiece, hidden_size: 64, layers: 1, heads: 4, intermediate_size: 128 }
data:
  - { format: libreoffice-help, path: ${join(values.shared, 'libreoffice-help')}, langs: [${values.langs}], limit: ${values.limit} }
hold_out: { fraction: 0.15, questions: 150 }
sampling: { mode: hybrid, alpha: 0.5, batch_size: ${values['batch-size']} }
text: { query_max_length: 16, passage_max_length: 48 }
loss: { temperature: 0.05, direction: both }
optimizer: { learning_rate: ${values['learning-rate']} }
training: { steps: ${values.steps} }
${lambda === null ? '' : adversarial}`,
  );
  return path;
}

interface Run {
  readonly system: string;
  readonly seed: number;
  readonly map: Readonly<Record<string, number | null>>;
  readonly rank_distance: number | null;
  readonly probe_accuracy: number;
  readonly probe_majority: number;
}

function probe(config: string, folder: string): { accuracy: number; majority: number } {
  const path = join(folder, 'probe.json');
  if (!existsSync(path)) synglot('probe', config, '--model', join(folder, 'model'), '--json', path);
  return JSON.parse(readFileSync(path, 'utf8')) as { accuracy: number; majority: number };
}

const machine = environment();
mkdirSync(values.work, { recursive: true });
const systems: Record<string, string> = { plain: writeConfig('plain', null) };
for (const lambda of values.lambdas.split(',')) {
  systems[`lambda-${lambda}`] = writeConfig(`lambda-${lambda}`, lambda);
}
const output = join(values.work, 'sweep');
console.error(synglot('sweep', ...Object.values(systems), '--seeds', values.seeds, '--output', output));
const runs: Run[] = [];
for (const name of readdirSync(output).sort()) {
  const record = join(output, name, 'run.json');
  if (!existsSync(record)) continue;
  const { label, seed, summary } = JSON.parse(readFileSync(record, 'utf8')) as {
    label: string;
    seed: number;
    summary: { map: Record<string, number | null>; rank_distance: number | null } | null;
  };
  if (!summary) continue;
  const { accuracy, majority } = probe(systems[label] as string, join(output, name));
  runs.push({
    system: label,
    seed,
    map: summary.map,
    rank_distance: summary.rank_distance,
    probe_accuracy: accuracy,
    probe_majority: majority,
  });
  console.error(JSON.stringify(runs.at(-1)));
}
const mean = (of: readonly (number | null)[]) => of.reduce<number>((sum, x) => sum + (x ?? 0), 0) / of.length;
const means = Object.keys(systems).map((system) => {
  const own = runs.filter((run) => run.system === system);
  const settings = Object.keys(own[0]?.map ?? {});
  return {
    system,
    seeds: own.length,
    map: Object.fromEntries(
      settings.map((setting) => [setting, mean(own.map(({ map }) => map[setting] ?? 0))]),
    ),
    rank_distance: mean(own.map(({ rank_distance: distance }) => distance)),
    probe_accuracy: mean(own.map(({ probe_accuracy: accuracy }) => accuracy)),
    probe_majority: mean(own.map(({ probe_majority: majority }) => majority)),
  };
});
const device = chosenDevice(synglot);
const { shared: _shared, work: _work, device: _device, ...settings } = values;
const path = writeResult(device, 'adversarial-probe', {
  what: 'an encoder with random weights on libreoffice-help, hybrid batches: plain, and with a language discriminator through gradient reversal; held-out passages',
  ...machine,
  device,
  settings,
  means,
  runs,
});
console.log(`${path} written`);
