/** `synglot demo`: what batch modes do, shown in minutes on any machine. */
import { join } from 'node:path';
import { settingsTable } from '@synglot/eval';
import { writeJson } from '@synglot/eval/files';
import { checkWritable, makeFolders } from '@synglot/models';
import type { Precision } from '@synglot/nn';
import { Command, Option } from 'commander';
import { demoModes, runDemo } from '../demo/demo.js';
import { progressBar, tell } from '../progress.js';
import { type DeviceOptions, openDevice, wholeNumber, withDeviceOptions } from './options.js';

interface DemoCommandOptions extends DeviceOptions {
  readonly seeds: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly precision: Precision;
  readonly output: string;
}

const explanation = `
mono: question and pool in one language · cross: in two · multi: one pool of all languages, every
translation relevant. mAP: higher is better. Rank distance: how far apart the translations of an
answer are ranked in the mixed pool; lower is less language bias.`;

export function demoCommand(): Command {
  const command = new Command('demo')
    .description('train a small encoder from scratch with each batch mode and compare them')
    .option('--seeds <n>', 'runs of each mode', wholeNumber(1), 1)
    .option('--steps <n>', 'updates of each run', wholeNumber(1), 360)
    .option('--batch-size <n>', 'pairs in a batch', wholeNumber(2), 64)
    .addOption(
      new Option('--precision <name>', 'mixed needs a device with half precision')
        .choices(['f32', 'mixed'])
        .default('f32'),
    )
    .option('--output <folder>', 'where report.json goes', join('runs', 'demo'));
  return withDeviceOptions(command).action(async (options: DemoCommandOptions) => {
    checkWritable(options.output);
    await makeFolders(options.output);
    const executor = await openDevice(options);
    const total = options.seeds * demoModes.length * options.steps;
    const bar = progressBar('training', total, 'steps');
    const started = performance.now();
    let done = 0;
    try {
      const report = await runDemo({
        ...options,
        executor,
        onNotice: tell,
        onStep: (mode, _seed, { loss, pairs, seconds }) => {
          done += 1;
          bar.update(done, `· ${mode} · loss ${loss.toFixed(3)} · ${(pairs / seconds).toFixed(0)} pairs/s`);
        },
        onRun: ({ mode, seed, last_loss, training_seconds }) => {
          tell(`${mode}, seed ${seed}: loss ${last_loss.toFixed(3)} after ${training_seconds.toFixed(1)} s`);
        },
      });
      bar.stop();
      const rows = report.runs.map((run) => ({
        label: options.seeds > 1 ? `${run.mode} (seed ${run.seed})` : run.mode,
        summary: { map: run.map, rank_distance: run.rank_distance },
      }));
      console.log(settingsTable([{ label: 'chance', summary: report.chance }, ...rows]));
      console.log(explanation);
      const file = join(options.output, 'report.json');
      const seconds = (performance.now() - started) / 1000;
      await writeJson(file, { ...report, seconds });
      console.log(`${file} written after ${seconds.toFixed(0)} s`);
    } finally {
      bar.stop();
      executor.destroy();
    }
  });
}
