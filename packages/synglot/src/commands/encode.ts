/** `synglot encode`: lines of text in, a NumPy matrix out. */
import { DataError } from '@synglot/data';
import { readLines } from '@synglot/data/files';
import { defaultPrompt, EmbeddingModel, ModelError, openCheckpoint, writeNpy } from '@synglot/models';
import { inTermsOfConfig } from '@synglot/train';
import { Command } from 'commander';
import { hubProgress } from '../model-progress.js';
import { progressBar } from '../progress.js';
import {
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
    .requiredOption('--input <file>', 'UTF-8 text, one text a line; .gz too')
    .requiredOption('--output <file>', 'NumPy file to write, float32 [lines, dimension]')
    .option('--max-length <tokens>', 'longest text in tokens, special ones included', wholeNumber(3))
    .option(
      '--prefix <text>',
      'put in front of every line, such as "query: "; default: the model\'s default prompt',
    )
    .option('--dimension <size>', 'first numbers of the embeddings, normalised again', dimensionSize);
  return withDeviceOptions(command).action(async (options: EncodeOptions) => {
    await checkOutputFile(options.output);
    const lines = await inTermsOfConfig('--input ', () => textsOf(options.input));
    const checkpoint = await openCheckpoint(options.model, {
      ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
      onProgress: hubProgress(),
    });
    const executor = await openDevice(options);
    try {
      const model = await EmbeddingModel.load(executor, checkpoint);
      const { prefix = defaultPrompt(checkpoint) } = options;
      const bar = progressBar('encoding', lines.length, 'texts');
      const vectors = await model.embed(lines, {
        ...(options.maxLength ? { maxLength: options.maxLength } : {}),
        ...(prefix ? { prefix } : {}),
        ...(options.dimension ? { dimension: options.dimension } : {}),
        onProgress: (done) => bar.update(done),
      });
      bar.stop();
      const { dimension = model.dimension } = options;
      checkNumbers(vectors, dimension, options.model);
      await writeNpy(options.output, lines.length, dimension, [vectors]);
      console.log(`${options.output}: ${lines.length} × ${dimension}`);
    } finally {
      executor.destroy();
    }
  });
}

async function textsOf(path: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of readLines(path)) texts.push(text);
  if (texts.length === 0) throw new DataError('INPUT_EMPTY', `${path}: is empty; expected one text a line`);
  return texts;
}

/** Weights that are no numbers give embeddings that are none. */
function checkNumbers(vectors: Float32Array, dimension: number, model: string): void {
  const at = vectors.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  throw new ModelError(
    'INPUT_CHECKPOINT',
    `${model}: the embedding of line ${Math.floor(at / dimension) + 1} holds ${vectors[at]}: its weights are damaged or of a run that diverged; choose another checkpoint`,
  );
}
