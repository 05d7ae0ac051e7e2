/** `synglot mine`: hard negatives for training pairs, with a model as it stands. */
import { DataError, type MiningOptions, miningSummary, resolveMining } from '@synglot/data';
import { expandPaths } from '@synglot/data/files';
import { EmbeddingModel, openCheckpoint, retrievalUse } from '@synglot/models';
import { defaultMining, inTermsOfConfig, miningOptions, readData, type TrainConfig } from '@synglot/train';
import { Command, InvalidArgumentError, Option } from 'commander';
import { mineNegatives } from '../mining/mine-negatives.js';
import { writeMined } from '../mining/write-mined.js';
import { embedTexts, hubProgress } from '../model-progress.js';
import { type Progress, progressBar } from '../progress.js';
import { formatOption, idle, readGivenConfig } from './given-config.js';
import {
  checkNotInput,
  checkOutputFile,
  type DeviceOptions,
  openDevice,
  orDeviceOf,
  settingsOption,
  wholeNumber,
  withDeviceOptions,
} from './options.js';
import { stoppable } from './stoppable.js';

interface MineCommandOptions extends DeviceOptions, MiningOptions {
  readonly model?: string;
  readonly data?: string;
  readonly format?: string;
  readonly lang?: string;
  readonly corpus?: string[];
  readonly corpusLang?: string;
  readonly output: string;
  readonly set?: readonly string[];
}

const help = `
A configuration gives model, data, prefixes, lengths and its \`mining\` section; what is given here comes first.
The output is read back as { format: pairs-jsonl, path: OUTPUT }. How to choose the rules: docs/mining.md.

  synglot mine my-run.yaml --model runs/my-run/model --output triplets.jsonl --relative-margin 0.05
  synglot mine --model MODEL --data pairs.jsonl --lang en --output triplets.jsonl`;

export function mineCommand(): Command {
  const command = new Command('mine')
    .description('mine hard negatives for training pairs, with exact search')
    .argument('[config]', 'YAML file of a training run')
    .option('--model <folder or hub id>', "checkpoint; default: the configuration's")
    .option('--data <path>', "training pairs; default: the configuration's")
    .option(...formatOption)
    .option('--lang <code>', 'language of --data, where its rows name none')
    .option('--corpus <files...>', 'more passages: JSONL with _id, title and text, or TSV with id and text')
    .option('--corpus-lang <code>', 'language of --corpus; default: --lang')
    .requiredOption('--output <file>', 'JSONL (.gz too) to write: query, passage, negatives, scores')
    .option('--negatives <count>', 'for each question; default 4', wholeNumber(1))
    .option('--absolute-margin <number>', 'keep scores up to the answer minus this', number)
    .option('--relative-margin <share>', 'keep scores up to (1 - share) of the answer: 0.05 is 95%', number)
    .option('--max-score <number>', 'keep scores up to this', number)
    .option('--min-score <number>', 'keep scores from this', number)
    .option('--range-min <rank>', 'skip so many of the best; default 0', wholeNumber(0))
    .option('--range-max <rank>', 'look no further than this rank; default 100', wholeNumber(1))
    .addOption(
      new Option('--sampling <how>', 'the best of what is left, or by chance').choices(['top', 'random']),
    )
    .addOption(
      new Option('--languages <which>', 'passages in the language of the answer, or in all').choices([
        'within',
        'across',
      ]),
    )
    .option('--seed <number>', 'of random sampling', wholeNumber(0))
    .option(...settingsOption)
    .addHelpText('after', help);
  return withDeviceOptions(command).action(async (path: string | undefined, options: MineCommandOptions) => {
    await checkJsonl(options.output);
    const config = await configOf(path, options);
    await checkNotInput(options.output, [path, ...(await inputsOf(config))]);
    const wanted = { ...miningOptions(config), ...given(options) };
    await inTermsOfConfig('', () => resolveMining(wanted));
    const checkpoint = await openCheckpoint(config.model, { onProgress: hubProgress() });
    const set = await inTermsOfConfig('', async () => (await readData(config, console.error)).training);
    const executor = await openDevice(orDeviceOf(options, config));
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const { text } = config;
      // The model decides what the configuration leaves open.
      const { query, passage, normalize } = retrievalUse(checkpoint, config.model);
      const embed = (label: string, texts: readonly string[], prefix: string, maxLength: number) =>
        embedTexts(model, label, texts, { prefix, maxLength, normalize });
      let searching: Progress | undefined;
      const { data, mined, statistics } = await inTermsOfConfig('', () =>
        mineNegatives({
          ...wanted,
          executor,
          set,
          embedQueries: (texts) =>
            embed('questions', texts, text.query_prefix ?? query, text.query_max_length),
          embedPassages: (texts) =>
            embed('passages', texts, text.passage_prefix ?? passage, text.passage_max_length),
          onSearch: (done, questions) => {
            searching ??= progressBar('searching', questions, 'questions');
            searching.update(done);
          },
        }),
      );
      searching?.stop();
      const lines = await stoppable(
        (signal) => writeMined(options.output, data, mined, signal),
        () => 'stopped; no file was written',
      );
      console.log(
        `${options.output}: ${lines} lines, ${miningSummary(statistics, resolveMining(wanted).negatives)}`,
      );
    } finally {
      executor.destroy();
    }
  });
}

/** Checks that the output can be written, and has a name by which it is read back as what it is. */
async function checkJsonl(output: string): Promise<void> {
  if (!/\.(jsonl|ndjson|json)(\.gz)?$/.test(output)) {
    throw new DataError(
      'INPUT_OPTION',
      `${output}: JSONL is written; end its name in .jsonl or .jsonl.gz, so that it is read as that`,
    );
  }
  await checkOutputFile(output);
}

/** The files that are read; missing ones are reported when they are opened. */
async function inputsOf({ data, mining }: TrainConfig): Promise<string[]> {
  const paths = [...data, ...(mining?.corpus ?? [])].flatMap(({ path }) => path);
  return (await Promise.all(paths.map((path) => expandPaths(path).catch(() => [])))).flat();
}

/** The configuration in the file, or one made of what the command line says. */
async function configOf(path: string | undefined, options: MineCommandOptions): Promise<TrainConfig> {
  const { model, data } = options;
  if (path === undefined && (model === undefined || data === undefined)) {
    throw new DataError(
      'INPUT_OPTION',
      'give a configuration, or --model and --data; see synglot mine --help',
    );
  }
  checkIdle(options);
  const config = await readGivenConfig(path, options);
  // Margins of scores are for training: mining makes them and needs none in the data.
  const { margin_mse: _margins, ...rest } = config;
  return {
    ...rest,
    mining: { ...(config.mining ?? defaultMining()), ...corpusOf(options) },
  };
}

/** @throws DataError `INPUT_OPTION` for a language of what is not given */
function checkIdle({ data, lang, corpus, corpusLang }: MineCommandOptions): void {
  if (corpusLang !== undefined && corpus === undefined) throw idle('--corpus-lang', '--corpus');
  const ofCorpus = corpus !== undefined && corpusLang === undefined;
  if (lang !== undefined && data === undefined && !ofCorpus) throw idle('--lang');
}

/** More passages to search, where there are some. */
function corpusOf({ corpus, corpusLang, lang }: MineCommandOptions) {
  if (corpus === undefined) return {};
  const code = corpusLang ?? lang;
  if (code === undefined) {
    throw new DataError('INPUT_LANGUAGE', '--corpus: its language is unknown; give --corpus-lang');
  }
  return { corpus: corpus.map((path) => ({ path, lang: code })) };
}

/** The options of mining that were given. */
function given(options: MineCommandOptions): object {
  const names = [
    'negatives',
    'absoluteMargin',
    'relativeMargin',
    'maxScore',
    'minScore',
    'rangeMin',
    'rangeMax',
    'sampling',
    'languages',
    'seed',
  ] as const;
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

function number(value: string): number {
  const result = Number(value);
  if (value.trim() === '' || !Number.isFinite(result)) throw new InvalidArgumentError('expected a number');
  return result;
}
