/** `synglot bench`: hands its arguments to a benchmark of @synglot/bench, in a process of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, Command } from 'commander';

const names = ['kernels', 'step', 'start', 'encode', 'host', 'adapters', 'curves', 'code', 'peers'] as const;

export function benchCommand(): Command {
  return new Command('bench')
    .description('benchmarks: correctness first, then medians with p10 and p90; JSON under results/<device>')
    .addArgument(
      new Argument(
        '<what>',
        'single ops, the training step, starting, encoding, the host, adapters, growth, compiled code, or other libraries',
      ).choices(names),
    )
    .argument('[options...]', 'of that benchmark, as in --device lavapipe --runs 5')
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText(
      'after',
      `
  kernels  --only matmul          GFLOP/s, GB/s and shares of the device's own ceilings
  kernels  --attention workgroup  attention by one strategy (or portable, subgroup, subgroup_matrix)
  kernels  --matmul workgroup     products likewise (or registers, subgroup, subgroup_matrix)
  step     --shape xlm-r-base --pairs 128 --lengths xquad-r --optimizer adamw --profile --trace step.json
  start    --pipelines            from the start of the process to the first loss: caches off, empty, full
  encode   --shape minilm         texts and tokens a second
  host     --pairs 128            the executor's cost a dispatch, making of batches, delay of the event loop
  host     --only tokenizer       how long reading a tokenizer holds the JavaScript thread
  adapters --pairs 8              what adapters save beside full fine-tuning
  curves                          cost against pairs, tokens, layers, vocabulary
  code     --shape xlm-r-base     what a GPU's compiler makes of the kernels, without a GPU; nothing is run
  code     --kernel matmul_nn_workgroup --blocks --compare FILE
  peers    --device lavapipe      jax-js, tfjs and onnxruntime beside it; installs them at its first call
All but code take --device, most --executor and --runs.`,
    )
    .action(async (what: string, options: readonly string[], _: unknown, command: Command) => {
      if (options.includes('--help') || options.includes('-h')) command.help();
      const folder = dirname(fileURLToPath(import.meta.resolve('@synglot/bench/package.json')));
      const script = join(folder, 'dist', `${what}.js`);
      if (!existsSync(script)) throw new Error(`${script} is missing; build it with 'npm run build'`);
      const child = spawn(process.execPath, [script, ...options], { stdio: 'inherit' });
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve(code ?? 1));
      });
    });
}
