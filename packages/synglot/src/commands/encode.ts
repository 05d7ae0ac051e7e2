/** `synglot encode`: lines of text, or a column, in; a NumPy matrix out. */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { DataError } from '@synglot/data';
import { isRecordFile, readColumn, readLines } from '@synglot/data/files';
import {
  defaultPrompt,
  EmbeddingModel,
  type EmbedOptions,
  ModelError,
  npyHeader,
  openCheckpoint,
  writeNpy,
} from '@synglot/models';
import { inTermsOfConfig } from '@synglot/train';
import { Command } from 'commander';
import { hubProgress } from '../model-progress.js';
import { progressBar } from '../progress.js';
import {
  checkNotInput,
  checkOutputFile,
  type DeviceOptions,
  dimensionSize,
  openDevice,
  wholeNumber,
  withDeviceOptions,
} from './options.js';
import { stoppable } from './stoppable.js';

interface EncodeOptions extends DeviceOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly input: string;
  readonly column?: string;
  readonly output: string;
  readonly maxLength?: number;
  readonly prefix?: string;
  readonly dimension?: number;
}

/** Most texts, and about how many characters, that are in memory at a time. */
const blockTexts = 65_536;
const blockCharacters = 8 * 2 ** 20;
/** Standard input or output, in place of a file. */
const piped = '-';

export function encodeCommand(): Command {
  const command = new Command('encode')
    .description('embed the lines of a text file, or a column; row i of the .npy file is line or row i')
    .requiredOption(
      '--model <folder or hub id>',
      'checkpoint in the Hugging Face or sentence-transformers layout',
    )
    .option('--adapter <folder>', "adapter in PEFT's layout to put over the model")
    .requiredOption(
      '--input <file>',
      'UTF-8 text, one text per line, or with --column JSONL, TSV, CSV or Parquet; .gz too; - is standard input',
    )
    .option('--column <name>', 'of the input, whose texts are meant; a number where a TSV has no header')
    .requiredOption(
      '--output <file>',
      'NumPy file (.npy) to write, float32 [lines, dimension]; - is standard output',
    )
    .option('--max-length <tokens>', 'longest text in tokens, special ones included', wholeNumber(3))
    .option(
      '--prefix <text>',
      'put in front of every line, such as "query: "; default: the model\'s default prompt',
    )
    .option('--dimension <size>', 'first numbers of the embeddings, normalised again', dimensionSize);
  return withDeviceOptions(command).action(async (options: EncodeOptions) => {
    await checkNpy(options);
    const texts = await inTermsOfConfig('--input ', () => openTexts(options));
    const checkpoint = await openCheckpoint(options.model, {
      ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
      onProgress: hubProgress(),
    });
    const executor = await openDevice(options);
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const { prefix = defaultPrompt(checkpoint), maxLength, dimension = model.dimension } = options;
      await stoppable(
        async (signal) => {
          const bar = progressBar('encoding', texts.count, 'texts');
          const vectors = embeddings(model, texts, options.model, {
            prefix,
            dimension,
            ...(maxLength ? { maxLength } : {}),
            onProgress: (done) => bar.update(done),
            signal,
          });
          if (options.output === piped) await pipeOut(texts.count, dimension, vectors);
          else await writeNpy(options.output, texts.count, dimension, vectors);
          bar.stop();
        },
        () => 'stopped; no file was written',
      );
      const shape = `${texts.count} × ${dimension}`;
      if (options.output === piped) console.error(shape);
      else console.log(`${options.output}: ${shape}`);
    } finally {
      executor.destroy();
    }
  });
}

/** Checks, before the work, that the file can be written and is what its name says. */
async function checkNpy({ input, output }: EncodeOptions): Promise<void> {
  if (output === piped) return;
  const ending = /\.(jsonl?|csv|tsv|txt|parquet|safetensors|npz|gz)$/.exec(output)?.[0];
  if (ending !== undefined) {
    throw new DataError(
      'INPUT_OPTION',
      `${output}: a NumPy file is written, which ${ending} would hide; end its name in .npy`,
    );
  }
  await checkOutputFile(output);
  await checkNotInput(output, [input]);
}

async function pipeOut(rows: number, dimension: number, vectors: AsyncIterable<Float32Array>): Promise<void> {
  await writeOut(npyHeader(rows, dimension));
  for await (const { buffer, byteOffset, byteLength } of vectors) {
    // A reader that stops early, as in `| head`, is no fault.
    if (!process.stdout.writable) return;
    await writeOut(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

async function writeOut(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes) && process.stdout.writable) {
    await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
  }
}

/** Texts in their order, and how many there are. */
interface Texts {
  readonly input: string;
  readonly count: number;
  read(): Iterable<string> | AsyncIterable<string>;
}

/** A file is read once to check and count its texts and once to embed them: they may take more memory than there is. */
async function openTexts(options: EncodeOptions): Promise<Texts> {
  const { input } = options;
  const file = input === piped ? undefined : await stat(input).catch(() => undefined);
  const held: string[] = [];
  let count = 0;
  for await (const text of textsOf(options)) {
    count++;
    if (!file?.isFile()) held.push(text);
  }
  if (count === 0) throw new DataError('INPUT_EMPTY', `${input}: is empty; expected one text per line`);
  return { input, count, read: () => (file?.isFile() ? textsOf(options) : held) };
}

/** Embeddings of all texts, block by block. */
async function* embeddings(
  model: EmbeddingModel,
  texts: Texts,
  name: string,
  { onProgress, ...options }: EmbedOptions & { readonly dimension: number },
): AsyncGenerator<Float32Array> {
  let done = 0;
  let block: string[] = [];
  let characters = 0;
  const embed = async () => {
    const vectors = await model.embed(block, {
      ...options,
      onProgress: (inBlock) => onProgress?.(done + inBlock, texts.count),
    });
    checkNumbers(vectors, options.dimension, name, done);
    done += block.length;
    block = [];
    characters = 0;
    return vectors;
  };
  for await (const text of texts.read()) {
    block.push(text);
    characters += text.length;
    if (block.length === blockTexts || characters >= blockCharacters) yield await embed();
  }
  if (block.length > 0) yield await embed();
  if (done !== texts.count) {
    throw new DataError('INPUT_FILE', `${texts.input}: changed while it was read; run it again`);
  }
}

async function* textsOf({ input: path, column }: EncodeOptions): AsyncGenerator<string> {
  if (column !== undefined) {
    yield* readColumn(path, column);
  } else if (isRecordFile(path)) {
    throw new DataError(
      'INPUT_OPTION',
      `${path}: has columns, and not one text per line; name the one that is meant with --column, such as --column passage`,
    );
  } else {
    for await (const { text } of readLines(path)) yield text;
  }
}

/** Weights that are NaN or infinite give embeddings that are, too. */
function checkNumbers(vectors: Float32Array, dimension: number, model: string, before: number): void {
  const at = vectors.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  throw new ModelError(
    'INPUT_CHECKPOINT',
    `${model}: the embedding of line ${before + Math.floor(at / dimension) + 1} holds ${vectors[at]}: its weights are damaged or of a run that diverged; choose another checkpoint`,
  );
}
