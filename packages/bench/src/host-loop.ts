/**
 * How late the event loop comes to its timers: while nothing happens, while the device works on one batch again
 * and again, and in training, where batches are made meanwhile. On a software device, which computes on the
 * machine's own cores, the second is what the operating system's scheduling costs.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { collate, type TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { threadTimeNs } from '@synglot/gpu/node';
import type { Tokenizer } from '@synglot/models';
import { defaultAdamW, encoderParameters, freshParameters, ParameterStore } from '@synglot/nn';
import { contrastiveObjective, Trainer } from '@synglot/train';
import { encodeWith, hybridSampler } from './host-batch.js';
import { type Shape, seededBatch } from './shapes.js';
import { openStepBench } from './step-bench.js';

const intervalMs = 1;
const idleMs = 3000;
const warmUps = 3;

/** Measures a shape; `steps` training steps of `pairs` pairs. Delays in milliseconds beyond a timer's interval. */
export async function measureLoop(
  executor: Executor,
  shape: Shape,
  { set, tokenizer }: { readonly set: TrainingSet; readonly tokenizer: Tokenizer },
  { pairs, steps }: { readonly pairs: number; readonly steps: number },
) {
  const idle = await watch(1, () => setTimeout(idleMs));
  const batch = seededBatch(pairs, 'xquad-r', shape.encoder.vocabularySize);
  const step = await openStepBench(executor, { shape, batch, optimizer: 'adamw' });
  for (let index = 0; index < warmUps; index++) await step.run(index);
  const device = await watch(steps, (index) => step.run(warmUps + index));
  step.destroy();
  return { idle, device, training: await training(executor, shape, { set, tokenizer }, { pairs, steps }) };
}

async function training(
  executor: Executor,
  { encoder, pooling }: Shape,
  { set, tokenizer }: { readonly set: TrainingSet; readonly tokenizer: Tokenizer },
  { pairs, steps }: { readonly pairs: number; readonly steps: number },
) {
  const specs = encoderParameters(encoder, pooling);
  const store = new ParameterStore(executor, specs);
  await store.load('parameter', freshParameters(encoder, specs, 0));
  const trainer = new Trainer({
    executor,
    store,
    config: encoder,
    pooling,
    seed: 1,
    sampler: hybridSampler(set, pairs),
    encode: encodeWith(tokenizer),
    objectives: [contrastiveObjective({ temperature: 0.05, direction: 'query-to-passage' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
    schedule: { learningRate: 1e-3, steps: warmUps + steps, warmupSteps: 0, decay: 'constant' },
  });
  const tokens: number[] = [];
  const update = async () => {
    tokens.push((await trainer.update()).tokens);
  };
  for (let index = 0; index < warmUps; index++) await update();
  const watched = await watch(steps, update);
  await trainer.destroy();
  store.destroy();
  // What was prepared ahead is what the sampler draws, in its order.
  const sampler = hybridSampler(set, pairs);
  for (const [index, received] of tokens.entries()) {
    const { counts } = await collate(sampler.next(), encodeWith(tokenizer));
    if (received !== counts.tokens)
      throw new Error(`step ${index + 1} had ${received} tokens, but its batch has ${counts.tokens}`);
  }
  return watched;
}

async function watch(steps: number, step: (index: number) => Promise<unknown>) {
  const histogram = monitorEventLoopDelay({ resolution: intervalMs });
  const begin = performance.now();
  const main = threadTimeNs();
  histogram.enable();
  for (let index = 0; index < steps; index++) await step(index);
  histogram.disable();
  const beyond = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - intervalMs);
  return {
    steps,
    seconds: (performance.now() - begin) / 1000,
    main_ms_a_step: (threadTimeNs() - main) / 1e6 / steps,
    delay_ms: {
      mean: beyond(histogram.mean),
      median: beyond(histogram.percentile(50)),
      p99: beyond(histogram.percentile(99)),
      max: beyond(histogram.max),
    },
  };
}
