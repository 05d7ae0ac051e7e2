/** `synglot merge`: a LoRA adapter added into the weights of its model. */
import {
  checkpointTensors,
  checkReplaceable,
  mergeAdapter,
  openCheckpoint,
  saveCheckpoint,
} from '@synglot/models';
import { Command } from 'commander';
import { hubProgress } from '../model-progress.js';
import { checkNotInput } from './options.js';

interface MergeOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly output: string;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description('merge a LoRA adapter into its model; equal within rounding')
    .requiredOption('--model <folder or hub id>', 'the model, or the folder of an adapter that names it')
    .option('--adapter <folder>', "adapter in PEFT's layout to put over --model")
    .requiredOption('--output <folder>', 'folder of the merged model')
    .action(async ({ model, adapter, output }: MergeOptions) => {
      await checkReplaceable(output);
      await checkNotInput(output, [model, adapter]);
      const opened = await openCheckpoint(model, {
        ...(adapter === undefined ? {} : { adapter }),
        onProgress: hubProgress(),
      });
      const merged = mergeAdapter(opened);
      await saveCheckpoint(output, { ...merged, tensors: checkpointTensors(merged) });
      console.log(`${output}: merged from ${model}${adapter === undefined ? '' : ` and ${adapter}`}`);
    });
}
