/** `synglot plan`: what a training step is compiled to, and the memory that it takes. Trains nothing, reads no data. */
import { type PlanMemory, planMemory } from '@synglot/gpu';
import { openCheckpoint } from '@synglot/models';
import { parseConfig, planRun, type RunPlan, readConfig, TrainError } from '@synglot/train';
import { Command } from 'commander';
import { hubProgress } from '../model-progress.js';
import {
  collect,
  type DeviceOptions,
  openDevice,
  orDeviceOf,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

interface PlanOptions extends DeviceOptions {
  readonly model?: string;
  readonly batch?: number;
  readonly tokens?: number;
  readonly set?: readonly string[];
  readonly memory?: boolean;
  readonly json?: boolean;
}

const help = `
Shown is a step with the contrastive loss alone: freezing takes less memory, further objectives somewhat more.

Examples:
  synglot plan my-run.yaml --memory
  synglot plan --model xlm-roberta-base --batch 64 --tokens 6400 --memory --json`;

export function planCommand(): Command {
  const command = new Command('plan')
    .description('what a training step is compiled to, and with --memory what it takes')
    .argument('[config]', 'YAML file of a run; without one: --model, and defaults for the rest')
    .option('--model <model>', "a folder or hub id, in place of the configuration's")
    .option('--batch <pairs>', 'pairs a batch; default: sampling.batch_size', wholeNumber(1))
    .option(
      '--tokens <tokens>',
      'tokens of all sequences of a batch; default: as many as text.*_max_length allow',
      wholeNumber(1),
    )
    .option('--set <key=value>', 'a setting instead of what the file says; may be repeated', collect)
    .option('--memory', 'parameters, optimiser state, activations by lifetime, and where the peak is')
    .option('--json', 'print JSON')
    .addHelpText('after', help);
  return withDeviceOptions(command).action(async (path: string | undefined, options: PlanOptions) => {
    const config = await configOf(path, options);
    if (config.model === 'fresh') {
      throw new TrainError(
        'INPUT_CONFIG',
        `${path}: 'model: fresh' has its vocabulary only once the data is read; give --model, or the folder initial-model of a run`,
      );
    }
    const checkpoint = await openCheckpoint(config.model, {
      ...(config.pooling ? { pooling: config.pooling } : {}),
      onProgress: hubProgress(),
    });
    const { batch_size: pairs, negatives = 0 } = config.sampling;
    const { query_max_length: query, passage_max_length: passage } = config.text;
    const candidates = pairs * (1 + negatives);
    const executor = await openDevice(orDeviceOf(options, config));
    try {
      const run = planRun(config, checkpoint, executor.device, {
        tokens: options.tokens ?? pairs * query + candidates * passage,
        queries: pairs,
        candidates,
      });
      const memory = planMemory(run.plan);
      const { name, id } = executor.device;
      if (options.json) console.log(JSON.stringify(toJson(run, memory, { name, id }), null, 2));
      else for (const line of toLines(run, memory, options.memory ?? false)) console.log(line);
      if (config.training.cache_tokens !== undefined) {
        console.error(
          'training.cache_tokens is set: the run works through parts of this batch, not the whole',
        );
      }
    } finally {
      executor.destroy();
    }
  });
}

async function configOf(path: string | undefined, options: PlanOptions) {
  const set = [
    ...(options.set ?? []),
    ...(options.model ? [`model=${JSON.stringify(options.model)}`] : []),
    ...(options.batch ? [`sampling.batch_size=${options.batch}`] : []),
  ];
  if (path) return readConfig(path, set);
  if (!options.model) throw new TrainError('INPUT_CONFIG', 'expected a configuration or --model');
  // The plan reads no data, but a configuration must name some.
  return parseConfig(
    '{ model: "", data: [{ format: pairs-jsonl, path: none }], training: { steps: 1 } }',
    '--model',
    set,
  );
}

/** What `--json` prints. Sizes in bytes. */
function toJson({ plan, capacity, parameterBytes }: RunPlan, memory: PlanMemory, device: object) {
  return {
    plan: plan.label,
    device,
    capacity,
    parameterBytes,
    ...memory,
    totalBytes: total(parameterBytes, memory),
  };
}

function total(parameterBytes: RunPlan['parameterBytes'], { ownBytes }: PlanMemory): number {
  return [...Object.values(parameterBytes), ...Object.values(ownBytes)].reduce(
    (sum, bytes) => sum + bytes,
    0,
  );
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1).padStart(10)} MiB`;

function toLines(
  { plan, capacity, parameterBytes }: RunPlan,
  memory: PlanMemory,
  withMemory: boolean,
): string[] {
  const { pool, peak, ownBytes } = memory;
  const lines = [
    `plan '${plan.label}': ${memory.dispatches} dispatches of ${memory.pipelines} pipelines, ${memory.copiesAndClears} copies and clears`,
    `for up to ${capacity.tokens} tokens, ${capacity.queries} queries, ${capacity.candidates} candidates`,
  ];
  if (!withMemory) return lines;
  const rows = [
    ...Object.entries(parameterBytes).map(([kind, bytes]) => [bytes, kind] as const),
    [
      ownBytes.transient,
      `activations: ${pool.tensors} tensors share ${pool.buffers} buffers (${mebibytes(pool.unsharedBytes).trim()} without sharing)`,
    ] as const,
    [ownBytes.feed, 'feeds'] as const,
    [ownBytes.result, 'results'] as const,
    [total(parameterBytes, memory), 'in all'] as const,
  ];
  return [
    ...lines,
    ...rows.map(([bytes, what]) => `${mebibytes(bytes)}  ${what}`),
    `peak of what is live at once: ${mebibytes(peak.liveBytes).trim()} of activations at command ${peak.command}, '${peak.label}':`,
    ...peak.tensors.slice(0, 8).map(({ name, sizeBytes }) => `${mebibytes(sizeBytes)}  ${name}`),
    ...(peak.tensors.length > 8 ? [`            ${peak.tensors.length - 8} smaller ones`] : []),
  ];
}
