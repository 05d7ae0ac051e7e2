/** `synglot encode`: lines of text in, a NumPy matrix out. */
import { readFile } from 'node:fs/promises';
import { EmbeddingModel, ModelError, openCheckpoint, writeNpy } from '@synglot/models';
import { Command } from 'commander';
import { hubProgress } from '../model-progress.js';
import { progressBar } from '../progress.js';
import { type DeviceOptions, dimensionSize, openDevice, wholeNumber, withDeviceOptions } from './options.js';

interface EncodeOptions extends DeviceOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly input: string;
  readonly output: string;
  readonly maxLength?: number;
  readonly prefix?: string;
  readonly dimension?: number;
}

export function encodeCommand(): Command {
  const command = new Command('encode')
    .description('embed the lines of a text file; row i of the .npy file is line i')
    .requiredOption(
      '--model <folder or hub id>',
      'checkpoint in the Hugging Face or sentence-transformers layout',
    )
    .option('--adapter <folder>', "adapter in PEFT's layout to put over the model")
    .requiredOption('--input <file>', 'UTF-8 text, one text a line')
    .requiredOption('--output <file>', 'NumPy file to write, float32 [lines, dimension]')
    .option('--max-length <tokens>', 'longest text in tokens, special ones included', wholeNumber(3))
    .option('--prefix <text>', 'put in front of every line, such as "query: "')
    .option('--dimension <size>', 'first numbers of the embeddings, normalised again', dimensionSize);
  return withDeviceOptions(command).action(async (options: EncodeOptions) => {
    const lines = await readLines(options.input);
    const checkpoint = await openCheckpoint(options.model, {
      ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
      onProgress: hubProgress(),
    });
    const executor = await openDevice(options);
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const bar = progressBar('encoding', lines.length, 'texts');
      const vectors = await model.embed(lines, {
        ...(options.maxLength ? { maxLength: options.maxLength } : {}),
        ...(options.prefix ? { prefix: options.prefix } : {}),
        ...(options.dimension ? { dimension: options.dimension } : {}),
        onProgress: (done) => bar.update(done),
      });
      bar.stop();
      const { dimension = model.dimension } = options;
      await writeNpy(options.output, lines.length, dimension, [vectors]);
      console.log(`${options.output}: ${lines.length} × ${dimension}`);
    } finally {
      executor.destroy();
    }
  });
}

async function readLines(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new ModelError('INPUT_MODEL', `${path}: ${reason}; give a UTF-8 text file with --input`);
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new ModelError('INPUT_MODEL', `${path}: is empty; expected one text a line`);
  return lines;
}
