/** `synglot probe`: how well a fresh linear probe tells the language of a model's embeddings. */
import { DataError, type TrainingSet } from '@synglot/data';
import { languageProbe, type ProbeReport } from '@synglot/eval';
import { writeJson } from '@synglot/eval/files';
import { EmbeddingModel, openCheckpoint, retrievalUse } from '@synglot/models';
import { inTermsOfConfig, readData } from '@synglot/train';
import { Command, InvalidArgumentError, Option } from 'commander';
import { embedTexts, hubProgress } from '../model-progress.js';
import { formatOption, readGivenConfig, withWholeData } from './given-config.js';
import {
  checkNotInput,
  checkOutputFile,
  type DeviceOptions,
  dimensionSize,
  openDevice,
  orDeviceOf,
  settingsOption,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

interface ProbeCommandOptions extends DeviceOptions {
  readonly model: string;
  readonly data?: string;
  readonly format?: string;
  readonly side: 'queries' | 'passages' | 'both';
  readonly limit: number;
  readonly test: number;
  readonly seed: number;
  readonly dimension?: number;
  readonly json?: string;
  readonly set?: readonly string[];
}

const help = `
The texts are split by parallel id: the probe is tested on texts of which it has seen no translation.

  synglot probe my-run.yaml --model runs/my-run/model       held-out data where the run has them
  synglot probe --model MODEL --data pairs.jsonl`;

export function probeCommand(): Command {
  const command = new Command('probe')
    .description('tell the language of embeddings with a linear probe: what a model still says of it')
    .argument('[config]', 'YAML file of a training run; its hold_out data are read, else all')
    .requiredOption('--model <folder or hub id>', 'checkpoint')
    .option('--data <path>', "pairs; default: the configuration's")
    .option(...formatOption)
    .addOption(
      new Option('--side <which>', 'texts to look at')
        .choices(['queries', 'passages', 'both'])
        .default('both'),
    )
    .option('--limit <texts>', 'most texts of a language', wholeNumber(2), 1000)
    .option('--test <share>', 'of the parallel ids, to test on', share, 0.3)
    .option('--seed <number>', 'of the split', wholeNumber(0), 0)
    .option('--dimension <size>', 'first numbers of the embeddings, normalised again', dimensionSize)
    .option('--json <file>', 'write the report there')
    .option(...settingsOption)
    .addHelpText('after', help);
  return withDeviceOptions(command).action(async (path: string | undefined, options: ProbeCommandOptions) => {
    if (options.json !== undefined) {
      await checkOutputFile(options.json);
      await checkNotInput(options.json, [path, options.data], '--json');
    }
    const { config, set, prefixes } = await dataOf(path, options);
    const rows = chooseRows(set, options);
    const checkpoint = await openCheckpoint(options.model, { onProgress: hubProgress() });
    const executor = await openDevice(orDeviceOf(options, config));
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const own = retrievalUse(checkpoint, options.model);
      const { query = own.query, passage = own.passage } = prefixes;
      const texts = rows.map(({ side, text }) => (side === 'queries' ? query : passage) + text);
      const { dimension = model.dimension } = options;
      const vectors = await embedTexts(model, 'encoding', texts, { dimension });
      const report = languageProbe(
        {
          vectors,
          dimension,
          langs: rows.map(({ lang }) => lang),
          parallelIds: rows.map(({ group }) => group),
        },
        options,
      );
      console.log(describe(report));
      if (options.json) {
        await writeJson(options.json, { model: options.model, ...report });
      }
    } finally {
      executor.destroy();
    }
  });
}

async function dataOf(path: string | undefined, options: ProbeCommandOptions) {
  if (path === undefined && options.data === undefined) {
    throw new DataError('INPUT_OPTION', 'give a configuration or --data; see synglot probe --help');
  }
  const config = await readGivenConfig(path, { ...options, model: 'none' });
  const { training, heldOut } = await inTermsOfConfig('', () =>
    readData(options.data === undefined ? config : withWholeData(config), console.error),
  );
  const { query_prefix: query, passage_prefix: passage } = config.text;
  return { config, set: heldOut ?? training, prefixes: { query, passage } };
}

interface ProbeText {
  readonly side: 'queries' | 'passages';
  readonly text: string;
  readonly lang: string;
  readonly group: string;
}

/** The first texts of each language, in the order of the data. */
function chooseRows(set: TrainingSet, { side: wanted, limit }: ProbeCommandOptions): ProbeText[] {
  const sides = (['queries', 'passages'] as const).filter((side) => wanted === 'both' || wanted === side);
  const counts = new Map<string, number>();
  return sides.flatMap((side) => {
    counts.clear();
    return set[side].flatMap((parallel, text) =>
      parallel.flatMap((index): ProbeText[] => {
        const row = set.rows[index];
        const count = counts.get(row?.lang ?? '') ?? 0;
        if (!row || count >= limit / sides.length) return [];
        counts.set(row.lang, count + 1);
        // Questions and passages have parallel ids of their own.
        return [{ side, text: row.text, lang: row.lang, group: `${side} ${text}` }];
      }),
    );
  });
}

function describe(report: ProbeReport): string {
  const percent = (value: number) => `${(100 * value).toFixed(1)}%`;
  const { accuracy, majority, languages, train, test, converged, iterations } = report;
  const each = Object.entries(report.perLanguage).map(([lang, value]) => `${lang} ${percent(value)}`);
  return [
    `language probe: ${percent(accuracy)} of ${test} texts; always the most frequent language: ${percent(majority)}`,
    each.join(', '),
    `${languages.length} languages, ${train} texts to learn from; ${converged ? 'converged' : 'not converged'} after ${iterations} iterations`,
  ].join('\n');
}

function share(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number < 1)) throw new InvalidArgumentError('expected a share between 0 and 1');
  return number;
}
