/** `synglot report`: runs in, one self-contained HTML page out. */
import { writeReport } from '@synglot/report';
import { Command } from 'commander';
import { checkNotInput } from './options.js';

interface ReportCommandOptions {
  readonly output: string;
  readonly title?: string;
}

export function reportCommand(): Command {
  return new Command('report')
    .description('one HTML page about runs: settings, language pairs, bias, training, embeddings')
    .argument(
      '<run...>',
      "JSON of 'synglot eval --json', report.json of a demo, a training folder, an .npy with its .langs.txt, or a folder of these",
    )
    .option('--output <file>', 'HTML file to write', 'report.html')
    .option('--title <text>', 'heading of the page')
    .action(async (paths: string[], options: ReportCommandOptions) => {
      await checkNotInput(options.output, paths);
      const { runs, trainings, embeddings, collections } = await writeReport(options.output, {
        paths,
        onNotice: (line) => console.error(line),
        ...(options.title ? { title: options.title } : {}),
      });
      const counts = [
        [runs.length, 'run'],
        [collections.length, 'collections file'],
        [trainings.length, 'training curve'],
        [embeddings.length, 'embedding map'],
      ] as const;
      const words = counts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}${n === 1 ? '' : 's'}`);
      console.log(`${options.output} written: ${words.join(', ')}; open it in a browser`);
    });
}
