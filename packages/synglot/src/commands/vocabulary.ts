/** `synglot vocabulary`: a model's tokens cut down to those in use, or extended for another language. */
import { DataError } from '@synglot/data';
import { expandPaths, readerOptions, readers, readLines } from '@synglot/data/files';
import {
  checkpointTensors,
  checkReplaceable,
  extendVocabulary,
  openCheckpoint,
  saveCheckpoint,
  trimVocabulary,
  withExtendedVocabulary,
  withTrimmedVocabulary,
} from '@synglot/models';
import { inTermsOfConfig, parseConfig, readConfig, readData, type TrainConfig } from '@synglot/train';
import { Command } from 'commander';
import { hubProgress, tokenizerProgress } from '../model-progress.js';
import { progressBar } from '../progress.js';
import { formatOf, formatOption } from './given-config.js';
import { checkNotInput, settingsOption, wholeNumber } from './options.js';

interface TextOptions {
  readonly text?: readonly string[];
  readonly config?: string;
  readonly data?: string;
  readonly format?: string;
  readonly set?: readonly string[];
}

interface TrimOptions extends Omit<TextOptions, 'text'> {
  readonly model: string;
  readonly keepText?: readonly string[];
  readonly output: string;
}

interface ExtendOptions extends TextOptions {
  readonly model: string;
  readonly tokens: number;
  readonly seed: number;
  readonly output: string;
}

const trimHelp = `
  synglot vocabulary trim --model sentence-transformers/LaBSE --keep-text corpus-*.txt --output labse-small
  synglot vocabulary trim --model MODEL --config my-run.yaml --output MODEL-small`;
const extendHelp = `
  synglot vocabulary extend --model MODEL --text yoruba.txt --tokens 500 --output MODEL-yo`;

export function vocabularyCommand(): Command {
  const trim = withTexts(
    new Command('trim')
      .description("keep a model's tokens that texts use, special ones and single characters")
      .requiredOption('--model <folder or hub id>', 'model with a unigram or WordPiece vocabulary')
      .option('--keep-text <files...>', 'UTF-8 text, one text per line; globs too'),
  )
    .requiredOption('--output <folder>', 'folder of the smaller model')
    .addHelpText('after', trimHelp)
    .action(async ({ keepText, ...options }: TrimOptions) => {
      await checkReplaceable(options.output);
      await checkNotInput(options.output, [options.model]);
      const texts = await openTexts({ ...options, ...(keepText ? { text: keepText } : {}) }, '--keep-text');
      const checkpoint = await openCheckpoint(options.model, { onProgress: hubProgress() });
      const prompts = Object.values(checkpoint.prompts).filter(Boolean);
      const seen = async function* () {
        for await (const text of texts) {
          yield text;
          for (const prompt of prompts) yield prompt + text;
        }
      };
      const bar = progressBar('splitting', 0, 'texts');
      const trimmed = await trimVocabulary(checkpoint.tokenizer, seen(), (done) => bar.update(done)).finally(
        () => bar.stop(),
      );
      const smaller = withTrimmedVocabulary(checkpoint, trimmed);
      await saveCheckpoint(options.output, { ...smaller, tensors: checkpointTensors(smaller) });
      const { vocabularySize: before, hiddenSize } = checkpoint.config;
      const after = trimmed.oldIds.length;
      console.log(
        `${options.output}: ${after} of ${before} tokens, ${megabytes(after * hiddenSize)} of ${megabytes(before * hiddenSize)} in the table`,
      );
    });
  const extend = withTexts(
    new Command('extend')
      .description('add tokens and rows for the language of some texts')
      .requiredOption('--model <folder or hub id>', 'model with a unigram or WordPiece vocabulary')
      .option('--text <files...>', 'UTF-8 text of the language, one text per line; globs too'),
  )
    .option('--tokens <count>', 'most tokens to add', wholeNumber(1), 1000)
    .option('--seed <number>', 'of rows that nothing is known of', wholeNumber(0), 0)
    .requiredOption('--output <folder>', 'folder of the extended model')
    .addHelpText('after', extendHelp)
    .action(async (options: ExtendOptions) => {
      await checkReplaceable(options.output);
      await checkNotInput(options.output, [options.model]);
      const texts = await openTexts(options, '--text');
      const checkpoint = await openCheckpoint(options.model, { onProgress: hubProgress() });
      const { onProgress, stop } = tokenizerProgress();
      const { tokens } = options;
      const extended = await extendVocabulary(checkpoint.tokenizer, texts, { tokens, onProgress }).finally(
        stop,
      );
      const larger = withExtendedVocabulary(checkpoint, extended, options.seed);
      await saveCheckpoint(options.output, { ...larger, tensors: checkpointTensors(larger) });
      const count = (from: string) => extended.added.filter((token) => token.from === from).length;
      console.log(
        `${options.output}: ${extended.added.length} tokens added: ${count('overlap')} start from the same letters, ${count('pieces')} from the mean of their pieces, ${count('random')} from random rows; train the model on the language next`,
      );
    });
  return new Command('vocabulary')
    .description("trim a model's vocabulary to the languages in use, or extend it")
    .addCommand(trim)
    .addCommand(extend);
}

function withTexts(command: Command): Command {
  return command
    .option('--config <file>', 'YAML file of a training run: the texts are those of its data')
    .option('--data <path>', 'training data: its questions and passages')
    .option(...formatOption)
    .option(...settingsOption);
}

/** The texts, one after another; their files are looked for at once. */
async function openTexts(options: TextOptions, name: string): Promise<AsyncIterable<string>> {
  const { text = [], config, data } = options;
  if (text.length === 0 && config === undefined && data === undefined) throw noTexts(name);
  if (options.set !== undefined && config === undefined) {
    throw new DataError('INPUT_OPTION', '--set is for a configuration; name its YAML file with --config');
  }
  const format = formatOf(options);
  const files = text.length === 0 ? [] : await inTermsOfConfig(`${name} `, () => expandPaths(text));
  return someOf(readTexts({ ...options, format }, files), name);
}

async function* readTexts(
  { config, data, format, set }: TextOptions & { readonly format: string },
  files: readonly string[],
): AsyncGenerator<string> {
  for (const file of files) {
    for await (const { text } of readLines(file)) if (text.trim() !== '') yield text;
  }
  if (config !== undefined) yield* textsOfData(await readConfig(config, set));
  if (data === undefined) return;
  const own = JSON.stringify({ model: 'any', data: [source(format, data)], training: { steps: 1 } });
  yield* textsOfData(parseConfig(own, '--data'));
}

async function* textsOfData(config: TrainConfig): AsyncGenerator<string> {
  const { training } = await inTermsOfConfig('', () =>
    // Whatever a model is evaluated on, it must be able to read.
    readData({ ...config, hold_out: undefined, validation: undefined }, console.error),
  );
  const { query_prefix: query, passage_prefix: passage } = config.text;
  for (const { text } of training.rows) {
    yield text;
    for (const prefix of new Set([query, passage])) if (prefix) yield prefix + text;
  }
}

async function* someOf(texts: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let some = false;
  for await (const text of texts) {
    some = true;
    yield text;
  }
  if (!some) throw noTexts(name);
}

function noTexts(name: string): DataError {
  return new DataError('INPUT_OPTION', `no texts: give files with ${name}, or --config, or --data`);
}

/** How a file of training data is read; the language of its rows does not matter here. */
function source(format: string, path: string): object {
  const known = Object.hasOwn(readers, format) ? readerOptions(format as keyof typeof readers) : [];
  return { format, path, ...(known.includes('lang') ? { lang: 'und' } : {}) };
}

function megabytes(elements: number): string {
  return `${((elements * 4) / 1e6).toFixed(1)} MB`;
}
