/** `synglot tune`: measures which kernels compute an encoder's matrix products and attention fastest on this device. */
import { openCheckpoint } from '@synglot/models';
import {
  buildEncodePlan,
  buildTrainPlan,
  collectAttention,
  collectMatmuls,
  contrastive,
  type DeviceTraits,
  encoderParameters,
  ParameterLayout,
  type TunedClass,
  tuneAttention,
  tuneMatmuls,
} from '@synglot/nn';
import { checkPrecision } from '@synglot/train';
import { Command, Option } from 'commander';
import { hubProgress } from '../model-progress.js';
import { keptTuning, tuningPath, writeTuning } from '../tuning.js';
import { type DeviceOptions, openDevice, wholeNumber, withDeviceOptions } from './options.js';

interface TuneOptions extends DeviceOptions {
  readonly model: string;
  readonly tokens: number;
  readonly pairs: number;
  readonly precision: 'f32' | 'mixed';
  readonly output?: string;
}

export function tuneCommand(): Command {
  const command = new Command('tune')
    .description('measure which kernels are fastest on this device, and use them from now on')
    .requiredOption('--model <folder or hub id>', 'checkpoint whose matrix products and attention are tuned')
    .option('--tokens <count>', 'tokens of a batch', wholeNumber(4), 2048)
    .option('--pairs <count>', 'pairs of a batch', wholeNumber(4), 32)
    .addOption(new Option('--precision <name>', 'of training').choices(['f32', 'mixed']).default('f32'))
    .option('--output <file>', 'write the table here, to be named by SYNGLOT_TUNING; default: the cache')
    .addHelpText(
      'after',
      `
A table belongs to one device with one driver. It is written as it grows, and another model or precision adds to it;
what is measured again is replaced. Tuned runs compute the same sums in another order, so their
bits differ from untuned ones; a run keeps its table and is resumed with it. SYNGLOT_TUNING=off turns it off.`,
    );
  return withDeviceOptions(command).action(async (options: TuneOptions) => {
    const checkpoint = await openCheckpoint(options.model, { onProgress: hubProgress() });
    const { config, pooling } = checkpoint;
    const executor = await openDevice(options, null);
    try {
      checkPrecision(options.precision, executor);
      const { device } = executor;
      const layout = new ParameterLayout(
        encoderParameters(config, pooling),
        device.limits.maxStorageBufferBindingSize,
      );
      const fours = (count: number) => Math.ceil(count / 4) * 4;
      const [tokens, pairs] = [fours(options.tokens), fours(options.pairs)];
      const build = (traits: DeviceTraits) => {
        buildTrainPlan({
          config,
          pooling,
          layout,
          device: traits,
          precision: options.precision,
          capacity: { tokens, queries: pairs, candidates: pairs },
          objectives: [contrastive({ temperature: 0.05, direction: 'query-to-passage' })],
          mode: 'accumulate',
        });
        buildEncodePlan({ config, pooling, layout, device: traits, tokens, sequences: pairs });
      };
      const problems = collectMatmuls(device, build);
      const passes = collectAttention(device, build);
      console.error(`${problems.length} kinds of matrix products, ${passes.length} of attention`);
      // Two texts per pair.
      const textTokens = Math.max(1, Math.round(tokens / (2 * pairs)));
      const path = options.output ?? tuningPath(device);
      const table = await keptTuning(path, device);
      // Checked before the work: whether the file can be written.
      let written = writeTuning(path, device, table);
      await written;
      let changed = 0;
      const onTuned = (tuned: TunedClass) => {
        print(tuned);
        if (tuned.choice !== tuned.tried[0]?.choice) changed += 1;
        table[tuned.shapeClass] = tuned.choice;
        // Now, not at the end: what was measured is kept whatever happens later.
        written = written.then(() => writeTuning(path, device, table));
        written.catch(() => undefined); // Told below.
      };
      await tuneMatmuls(executor, problems, { onTuned });
      await tuneAttention(executor, passes, textTokens, { onTuned });
      await written;
      const kinds = problems.length + passes.length;
      console.log(`${path} written: ${changed} of ${kinds} kinds compute with another kernel than untuned`);
    } finally {
      executor.destroy();
    }
  });
}

function print({ shapeClass, choice, tried, leftOut }: TunedClass): void {
  for (const { choice, why } of leftOut) {
    console.error(`${shapeClass}: ${choice.kernel} ${JSON.stringify(choice.constants)} left out: ${why}`);
  }
  const first = tried[0]?.seconds ?? 0;
  const best = Math.min(...tried.map(({ seconds }) => seconds));
  console.log(
    `${shapeClass}: ${choice.kernel} ${JSON.stringify(choice.constants)}, ${(best * 1000).toFixed(3)} ms, ${(first / best).toFixed(2)} × the untuned choice, ${tried.length} tried`,
  );
}
