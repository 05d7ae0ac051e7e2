/** `synglot train`: a run from a YAML file. */
import { rm } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import type { DeviceTraits } from '@synglot/nn';
import {
  readConfig,
  runTraining,
  type StepMetrics,
  type TrainConfig,
  type TrainingRunResult,
} from '@synglot/train';
import { Command } from 'commander';
import { mineForTraining } from '../mining/mine-for-training.js';
import { hubProgress, tokenizerProgress } from '../model-progress.js';
import { type Progress, progressBar, tell } from '../progress.js';
import { readTuning, runTuningFile, writeTuning } from '../tuning.js';
import { collect, type DeviceOptions, openDevice, orDeviceOf, withDeviceOptions } from './options.js';

interface TrainOptions extends DeviceOptions {
  readonly resume?: boolean;
  readonly output?: string;
  readonly set?: readonly string[];
}

/** Longest silence between two lines of progress where there is no terminal. */
const quietMs = 10_000;

const help = `
A configuration in full is explained in docs/training.md; the least there is:

  model: FacebookAI/xlm-roberta-base      # a hub id, or a folder
  data:
    - { format: pairs-jsonl, path: pairs.jsonl }
  sampling: { mode: hybrid, alpha: 0.5, batch_size: 32 }
  training: { steps: 200 }

Ctrl-C writes a checkpoint and stops; --resume goes on, bit for bit.`;

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a retriever as a YAML file says')
    .argument('<config>', 'YAML file')
    .option('--output <folder>', 'folder of the run; default: runs/<name of the file>')
    .option(
      '--set <key=value>',
      'a setting instead of what the file says; may be repeated: --set sampling.alpha=0.3',
      collect,
    )
    .option('--resume', "continue from the run's newest checkpoint")
    .addHelpText('after', help);
  return withDeviceOptions(command).action(async (path: string, options: TrainOptions, self: Command) => {
    const config = await readConfig(path, options.set);
    const output = options.output ?? config.output ?? join('runs', basename(path, extname(path)));
    let executor: Executor | undefined;
    /** Told when the run starts: a mistake that the data show is told in one line. */
    const deviceLines: string[] = [];
    const stop = new AbortController();
    const onSignal = () => {
      stop.abort();
      tell('stopping after this update, with a checkpoint; again: at once, without one');
    };
    // A resumed run computes in the order in which it began, tuned or not.
    const kept = join(output, runTuningFile);
    const tokenizer = tokenizerProgress();
    const updates = updateProgress();
    try {
      const result = await runTraining({
        executor: async (resumed) => {
          executor = await openDevice(
            orDeviceOf(options, config),
            resumed ? ((await readTuning(kept)) ?? null) : undefined,
            (line) => deviceLines.push(line),
          );
          return executor;
        },
        onStart: async (resumed) => {
          // Until now there is nothing to keep, and a signal ends the process at once.
          process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
          for (const line of deviceLines) tell(line);
          if (resumed) return;
          if (options.resume)
            tell(`no checkpoint in ${join(output, 'checkpoints')} yet: starting from the beginning`);
          const { device } = executor!;
          const { kernelChoices } = device as DeviceTraits;
          // A start that failed may have left another.
          if (kernelChoices) await writeTuning(kept, device, kernelChoices);
          else await rm(kept, { force: true });
        },
        config,
        output,
        resume: options.resume ?? false,
        signal: stop.signal,
        mine: mineForTraining,
        onNotice: tell,
        onModelProgress: hubProgress(),
        onTokenizerProgress: tokenizer.onProgress,
        onStep: (metrics, steps) => {
          tokenizer.stop();
          updates.onStep(metrics, steps);
        },
        onValidation: (step, loss, measure) => tell(describeValidation(config, step, loss, measure)),
      });
      updates.stop();
      if (result.model) {
        console.log(describeResult(result, config));
      } else {
        const again = continuation(path, output, options, self);
        console.log(`stopped after step ${result.steps}; continue with: ${again}`);
        process.exitCode = 130;
      }
    } finally {
      tokenizer.stop();
      updates.stop();
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      executor?.destroy();
    }
  });
}

/** A bar in a terminal; elsewhere a line for every tenth step, and after ten seconds without one. */
function updateProgress() {
  let bar: Progress | undefined;
  let told = performance.now();
  return {
    onStep({ step, loss, pairs, seconds, mode }: StepMetrics, steps: number): void {
      const speed = `${(pairs / seconds).toFixed(1)} pairs/s`;
      if (process.stderr.isTTY) {
        bar ??= progressBar('training', steps, 'steps', step - 1);
        bar.update(step, `· loss ${loss.toFixed(4)} · ${speed} · ${mode}`);
        return;
      }
      const now = performance.now();
      if (step % 10 !== 0 && step !== steps && now - told < quietMs) return;
      told = now;
      console.error(`step ${step}/${steps} loss ${loss.toFixed(4)} ${speed}`);
    },
    stop: () => bar?.stop(),
  };
}

function describeValidation(
  { validation }: TrainConfig,
  step: number,
  loss: number,
  measure?: number,
): string {
  const { measure: name, setting = 'mean' } = validation ?? {};
  const text = `step ${step} validation loss ${loss.toFixed(4)}`;
  if (measure === undefined) return text;
  return `${text}, ${name} ${name === 'rank-distance' ? '' : `${setting} `}${measure.toFixed(4)}`;
}

function describeResult(result: TrainingRunResult, config: TrainConfig): string {
  const { model, steps } = result;
  const loss = Number.isNaN(result.loss) ? 'nothing was left to do' : `last loss ${result.loss.toFixed(4)}`;
  const early = steps < config.training.steps ? ' until validation.patience ended it' : '';
  return `${model}: trained for ${steps} steps${early}, ${loss}${modelOf(result, config)}`;
}

/** The command that continues a run. */
function continuation(path: string, output: string, options: TrainOptions, command: Command): string {
  const set = (options.set ?? []).flatMap((each) => ['--set', each]);
  // What the environment says, it says to the next run too.
  const device = (['device', 'executor'] as const).flatMap((name) =>
    command.getOptionValueSource(name) === 'cli' ? [`--${name}`, options[name]!] : [],
  );
  const words = ['synglot', 'train', path, '--resume', '--output', output, ...set, ...device];
  return words.map(shellWord).join(' ');
}

/** Which update's model was saved, unless the last one's validation was the best. */
function modelOf({ best, steps }: TrainingRunResult, { checkpoint }: TrainConfig): string {
  if (!best || best.step === steps) return '';
  const value = best.value.toFixed(4);
  return checkpoint.keep_best
    ? `; the model is that of step ${best.step}, with the best validation, ${value}`
    : `; the model is the last one; the best validation was ${value}, after step ${best.step} (checkpoint.keep_best keeps that one)`;
}

/** A word of a command line, to be copied into a shell. */
function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
