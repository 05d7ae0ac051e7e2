/**
 * Runs synglot and its peers in turn on one software device and writes one table.
 *
 *   node packages/bench/dist/peers.js --device lavapipe|swiftshader [--runs 5] [--warm-ups 1]
 *     [--only jax-js,tfjs,onnxruntime]
 *
 * Each library runs in a process of its own, all with the same driver and without shader caches;
 * the peers are installed into `packages/bench/peers` at the first call. synglot runs first and
 * last, and ratios are to the slower of the two, since other work on the machine comes and goes.
 * Results: `packages/bench/results/<device>/peers.json`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkNumbers, tellMistakes } from './arguments.js';
import type { ChildResult } from './child.js';
import { checkAgreement, type Entry, printTable, withRatios } from './comparison.js';
import { softwareDriver } from './drivers.js';
import { environment, writeResult } from './results.js';
import { layerFlops, stepFlops } from './workload.js';

const timeoutMs = 20 * 60 * 1000;
const peersFolder = fileURLToPath(new URL('../peers/', import.meta.url));
// jax-js uses iterator helpers, which Node 20 has behind a flag.
const iteratorHelpers = process.versions.node.startsWith('20.') ? ['--harmony-iterator-helpers'] : [];

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    runs: { type: 'string', default: '5' },
    'warm-ups': { type: 'string', default: '1' },
    only: { type: 'string', default: 'jax-js,tfjs,onnxruntime' },
  },
});
checkNumbers(values, ['runs']);
checkNumbers(values, ['warm-ups'], 0);
const device = values.device ?? '';
const driverFile = softwareDriver(device);
if (!driverFile) {
  console.error(
    `--device: expected lavapipe or swiftshader, with its driver installed, but received '${device}'`,
  );
  process.exit(2);
}
const wanted = values.only.split(',');
const repeats = ['--runs', values.runs, '--warm-ups', values['warm-ups']];
const own = (script: string, executor: string) => [
  fileURLToPath(new URL(script, import.meta.url)),
  ...['--device', device, '--executor', executor],
  ...(script === 'step.js' ? ['--json'] : []),
];
const peer = (name: string) => [`${peersFolder}${name}.js`];

/** Runs one process with nothing cached and returns its last line. */
async function run(command: readonly string[]): Promise<Entry> {
  const cache = mkdtempSync(join(tmpdir(), 'synglot-bench-'));
  const load = loadavg()[0] as number;
  console.error(`\n${command.at(0)} … (load ${load.toFixed(1)})`);
  const env = {
    ...process.env,
    VK_DRIVER_FILES: driverFile,
    VK_ICD_FILENAMES: driverFile,
    XDG_RUNTIME_DIR: tmpdir(),
    XDG_CACHE_HOME: cache,
    MESA_SHADER_CACHE_DISABLE: 'true',
  };
  try {
    const child = spawn(process.execPath, [...iteratorHelpers, ...command, ...repeats], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: timeoutMs,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    const line = output.trim().split('\n').at(-1) ?? '';
    if (code !== 0 || !line.startsWith('{'))
      return { failed: `exit ${code}: ${command[0]}`, load_before: load };
    return { ...(JSON.parse(line) as ChildResult), load_before: load };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

if (!existsSync(`${peersFolder}package.json`)) {
  console.error(
    'the other libraries are not in the offline bundle; a checkout or the package from npm has them',
  );
  process.exit(1);
}
if (!existsSync(`${peersFolder}node_modules`)) {
  const install = ['ci', '--prefix', peersFolder, '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    execFileSync('npm', install, { stdio: 'inherit' });
  } catch (error) {
    console.error(`the other libraries could not be installed: ${(error as Error).message}`);
    process.exit(1);
  }
}

// Now, not at the end: the commit that was measured.
const measuredOn = environment();
const layer: Entry[] = [];
const step: Entry[] = [];

/** Adds one library to a comparison, checks it, and writes what there is so far. */
async function measure(entries: Entry[], command: readonly string[]): Promise<string> {
  entries.push(await run(command));
  checkAgreement(entries);
  const driver =
    [...layer, ...step].map((entry) => ('driver' in entry ? entry.driver : '')).find(Boolean) ?? '';
  return writeResult({ id: device, driver }, 'peers', {
    device,
    ...measuredOn,
    training_step: withRatios(step, stepFlops()),
    layer_forward: withRatios(layer, layerFlops()),
  });
}

await measure(layer, own('layer.js', 'native'));
await measure(layer, own('layer.js', 'webgpu'));
if (wanted.includes('onnxruntime')) await measure(layer, peer('onnxruntime'));
await measure(layer, own('layer.js', 'native'));
await measure(step, own('step.js', 'native'));
await measure(step, own('step.js', 'webgpu'));
for (const name of ['tfjs', 'jax-js']) if (wanted.includes(name)) await measure(step, peer(name));
const path = await measure(step, own('step.js', 'native'));
printTable('training step', withRatios(step, stepFlops()));
printTable('layer forward', withRatios(layer, layerFlops()));
console.log(`wrote ${path}`);
