// The demo's training in f32 and in mixed precision, on equal seeds: final loss and evaluation beside the spread
// between seeds.
//
//   node packages/synglot/scripts/mixed-precision.mjs [--device lavapipe] [--steps 500] [--seeds 3]
//
// Hybrid batches only. The final loss is the mean over the last 20 updates. Writes
// packages/bench/results/<device>/mixed-precision.json. Needs a device with half precision.
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import { environment, writeResult } from '../../bench/dist/results.js';
import { runDemo } from '../dist/demo/demo.js';

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    steps: { type: 'string', default: '500' },
    seeds: { type: 'string', default: '3' },
  },
});
const executor = await openExecutor(values.device ? { device: values.device } : {});
const { device } = executor;
const seeds = Number(values.seeds);
const [steps, batchSize] = [Number(values.steps), 64];
const started = environment();

const runs = [];
let shared;
// Seed by seed, so that both precisions see the same load of the machine.
for (let seed = 0; seed < seeds; seed++) {
  for (const precision of ['f32', 'mixed']) {
    const report = await runDemo({
      executor,
      seeds: 1,
      firstSeed: seed,
      modes: ['hybrid'],
      steps,
      batchSize,
      precision,
    });
    const [{ final_loss, skipped, map, rank_distance, training_seconds }] = report.runs;
    shared = { encoder: report.encoder, languages: report.languages.length, chance: report.chance };
    runs.push({ precision, seed, final_loss, skipped, map, rank_distance, training_seconds });
    console.log(
      `seed ${seed}, ${precision}: final loss ${final_loss.toFixed(4)}, mAP ${Object.entries(map)
        .map(([setting, value]) => `${setting} ${value?.toFixed(4)}`)
        .join(', ')}, ${skipped} updates skipped, ${training_seconds.toFixed(0)} s`,
    );
  }
}

const of = (precision, read) => runs.filter((run) => run.precision === precision).map(read);
const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const spread = (numbers) => Math.max(...numbers) - Math.min(...numbers);
/** Means of both precisions, their difference, and the spread of f32 between its seeds. */
function compare(read) {
  const [f32, mixed] = [of('f32', read), of('mixed', read)];
  const difference = mean(mixed) - mean(f32);
  return {
    f32: mean(f32),
    mixed: mean(mixed),
    difference,
    relative_difference: difference / mean(f32),
    spread_of_f32: spread(f32),
    within_spread: Math.abs(difference) <= spread(f32),
  };
}
const settings = Object.keys(runs[0].map).filter((setting) => runs[0].map[setting] !== null);
const comparison = {
  final_loss: compare((run) => run.final_loss),
  map: Object.fromEntries(settings.map((setting) => [setting, compare((run) => run.map[setting])])),
  rank_distance: compare((run) => run.rank_distance),
};
const path = writeResult(device, 'mixed-precision', {
  benchmark:
    "the demo's training (hybrid batches) in f32 and in mixed precision; final loss: mean of the last 20 updates",
  steps,
  batch_size: batchSize,
  seeds,
  ...shared,
  comparison,
  runs,
  device: { name: device.name, driver: device.driver, id: device.id, executor: executor.kind },
  ...started,
});
console.log(JSON.stringify(comparison, null, 2));
console.log(path);
executor.destroy();
