/** `synglot compare`: reports of one benchmark side by side, with tests of significance. Needs no device. */
import { type Correction, type FiguresFormat, figuresTable } from '@synglot/eval';
import { readSystems } from '@synglot/eval/files';
import { Command, Option } from 'commander';
import { wholeNumber } from './options.js';

interface CompareCommandOptions {
  readonly format: FiguresFormat;
  readonly test: 'randomisation' | 'bootstrap';
  readonly correction: Correction;
  readonly seed: number;
}

const help = `
  synglot eval --task xquad-r --data xquad-r --model A --per-query --json a.json
  synglot eval --task xquad-r --data xquad-r --model B --per-query --json b.json
  synglot compare a.json b.json --format latex

The others are tested against the first, question by question with all its translations; p-values are corrected for
every comparison made. Runs of a sweep are compared by their folders.`;

export function compareCommand(): Command {
  return new Command('compare')
    .description('reports of one benchmark side by side: intervals, paired tests; text, CSV or LaTeX')
    .argument(
      '<report...>',
      "JSON of 'synglot eval --json', or folders of a sweep's runs; the first is the baseline",
    )
    .addOption(
      new Option('--format <name>', 'a text table, CSV with every digit, or a LaTeX table')
        .choices(['table', 'csv', 'latex'])
        .default('table'),
    )
    .addOption(
      new Option('--test <name>', 'of significance')
        .choices(['randomisation', 'bootstrap'])
        .default('randomisation'),
    )
    .addOption(
      new Option('--correction <name>', 'for many comparisons')
        .choices(['holm', 'benjamini-hochberg', 'none'])
        .default('holm'),
    )
    .option('--seed <number>', 'of intervals and tests', wholeNumber(0), 0)
    .addHelpText('after', help)
    .action(async (paths: string[], { format, ...options }: CompareCommandOptions) => {
      console.log(figuresTable(await readSystems(paths), format, options));
    });
}
