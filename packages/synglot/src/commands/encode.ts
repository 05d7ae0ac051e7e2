/** `synglot encode`: lines of text, or a column, in; a NumPy matrix out. */
import { once } from 'node:events';
import { DataError } from '@synglot/data';
import { isRecordFile, readColumn, readLines } from '@synglot/data/files';
import {
  defaultPrompt,
  EmbeddingModel,
  ModelError,
  npyHeader,
  openCheckpoint,
  writeNpy,
} from '@synglot/models';
import { inTermsOfConfig } from '@synglot/train';
import { Command } from 'commander';
import { embedTexts, hubProgress } from '../model-progress.js';
import {
  checkNotInput,
  checkOutputFile,
  type DeviceOptions,
  dimensionSize,
  openDevice,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

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
    const lines = await inTermsOfConfig('--input ', () => textsOf(options));
    const checkpoint = await openCheckpoint(options.model, {
      ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
      onProgress: hubProgress(),
    });
    const executor = await openDevice(options);
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const { prefix = defaultPrompt(checkpoint), maxLength, dimension = model.dimension } = options;
      const vectors = await embedTexts(model, 'encoding', lines, {
        prefix,
        dimension,
        ...(maxLength ? { maxLength } : {}),
      });
      checkNumbers(vectors, dimension, options.model);
      if (options.output === piped) return await pipeOut(lines.length, dimension, vectors);
      await writeNpy(options.output, lines.length, dimension, [vectors]);
      console.log(`${options.output}: ${lines.length} × ${dimension}`);
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

async function pipeOut(rows: number, dimension: number, vectors: Float32Array): Promise<void> {
  const values = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  for (const bytes of [npyHeader(rows, dimension), values]) {
    // A reader that stops early, as in `| head`, is no fault.
    if (!process.stdout.write(bytes) && process.stdout.writable) {
      await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
    }
  }
  console.error(`${rows} × ${dimension}`);
}

async function textsOf({ input: path, column }: EncodeOptions): Promise<string[]> {
  const texts: string[] = [];
  if (column !== undefined) {
    for await (const text of readColumn(path, column)) texts.push(text);
  } else if (isRecordFile(path)) {
    throw new DataError(
      'INPUT_OPTION',
      `${path}: has columns, and not one text per line; name the one that is meant with --column, such as --column passage`,
    );
  } else {
    for await (const { text } of readLines(path)) texts.push(text);
  }
  if (texts.length === 0) throw new DataError('INPUT_EMPTY', `${path}: is empty; expected one text per line`);
  return texts;
}

/** Weights that are NaN or infinite give embeddings that are, too. */
function checkNumbers(vectors: Float32Array, dimension: number, model: string): void {
  const at = vectors.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  throw new ModelError(
    'INPUT_CHECKPOINT',
    `${model}: the embedding of line ${Math.floor(at / dimension) + 1} holds ${vectors[at]}: its weights are damaged or of a run that diverged; choose another checkpoint`,
  );
}
