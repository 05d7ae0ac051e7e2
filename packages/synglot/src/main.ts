/** The `synglot` command: subcommands, exit codes, one-line errors. */
import { writeError } from '@synglot/models';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './commands/bench.js';
import { compareCommand } from './commands/compare.js';
import { demoCommand } from './commands/demo.js';
import { devicesCommand } from './commands/devices.js';
import { distillTeacherCommand } from './commands/distill-teacher.js';
import { encodeCommand } from './commands/encode.js';
import { evalCommand } from './commands/eval.js';
import { fetchCommand } from './commands/fetch.js';
import { indexCommand } from './commands/index-corpus.js';
import { searchCommand } from './commands/index-corpus-search.js';
import { mergeCommand } from './commands/merge.js';
import { mineCommand } from './commands/mine.js';
import { planCommand } from './commands/plan.js';
import { probeCommand } from './commands/probe.js';
import { reportCommand } from './commands/report.js';
import { sweepCommand } from './commands/sweep.js';
import { trainCommand } from './commands/train.js';
import { tuneCommand } from './commands/tune.js';
import { vocabularyCommand } from './commands/vocabulary.js';
import { stopBars } from './progress.js';

const help = `
Examples:
  synglot demo                                    three batch modes compared, in minutes, on any machine
  synglot devices                                 what computes here, and why
  synglot encode --model MODEL --input S.txt --output E.npy
  synglot merge --model runs/my-lora/model --output merged
  synglot vocabulary trim --model MODEL --keep-text S.txt --output SMALL
  synglot train my-run.yaml                       stop with Ctrl-C, continue with --resume
  synglot sweep my-run.yaml --over sampling.alpha=0:1:0.1 --seeds 3 --output runs/alpha
  synglot eval my-run.yaml --model runs/my-run/model       on what hold_out keeps from training
  synglot eval --task xquad-r --data xquad-r --model runs/my-run/model
  synglot eval --task beir --data beir/scifact --model MODEL --store stores
  synglot eval --qrels Q --run R --format trec_eval -q -m official
  synglot compare a.json b.json --format latex    two reports of one benchmark, with tests of significance
  synglot index --model MODEL --corpus corpus.jsonl.gz --store S
  synglot search --store S --model MODEL --queries topics.tsv --save-run R.trec
  synglot mine my-run.yaml --model runs/my-run/model --output triplets.jsonl
  synglot report runs                             one HTML page about everything in a folder
  synglot plan my-run.yaml --memory               what a step is compiled to, and the memory that it takes

Environment:
  SYNGLOT_DEVICE=gpu|lavapipe|swiftshader, gpu:1 or a part of a device's name   SYNGLOT_EXECUTOR=native|webgpu
  SYNGLOT_DEBUG=1 prints plans, 2 also the time of each kernel, 3 also the WGSL`;

/**
 * What nobody reads any more (`synglot devices | head -1`) is dropped; the work goes on. Results that a full disk does
 * not take end it; of messages there is nowhere to tell.
 */
function keepWorking(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(report(writeError('standard output', error)));
  });
}

/** Runs the command line; the process exits with 0, 2 for a user's mistake, 130 when stopped, 1 for a fault. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('synglot')
    .enablePositionalOptions()
    .description(
      'Trains multilingual text retrievers with hybrid batches, and evaluates them. All on WebGPU.',
    )
    .version('0.1.0')
    .addHelpText('after', help);
  inOneLine(program, 'synglot');
  keepWorking();
  for (const command of [
    demoCommand(),
    trainCommand(),
    sweepCommand(),
    evalCommand(),
    compareCommand(),
    fetchCommand(),
    encodeCommand(),
    mergeCommand(),
    vocabularyCommand(),
    indexCommand(),
    searchCommand(),
    mineCommand(),
    distillTeacherCommand(),
    probeCommand(),
    reportCommand(),
    planCommand(),
    benchCommand(),
    tuneCommand(),
    devicesCommand(),
  ]) {
    program.addCommand(inOneLine(command, `synglot ${command.name()}`));
  }
  try {
    await program.parseAsync([...argv]).finally(stopBars);
    process.exitCode ??= 0;
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** A mistake in the command line becomes one line that says where help is, and a status, not an exit. */
function inOneLine(command: Command, name: string): Command {
  return command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const line = text
        .replace(/^error: /, '')
        .trim()
        .replace(/\s*\n\s*/g, ' ')
        .replace(/\.$/, '');
      write(`synglot: ${line}; see ${name} --help\n`);
    },
  });
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { code, message, stack } = error as { code?: unknown; message?: string; stack?: string };
  if (typeof code === 'string' && code.startsWith('INPUT_')) {
    console.error(`synglot: ${message}`);
    return 2;
  }
  // Asked for with Ctrl-C: no fault.
  if (code === 'STOPPED') {
    console.error(message);
    return 130;
  }
  console.error(
    process.env.SYNGLOT_DEBUG ? stack : `synglot: ${message ?? String(error)} (SYNGLOT_DEBUG=1 shows where)`,
  );
  return 1;
}
