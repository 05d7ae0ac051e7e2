/**
 * Benchmark of what the host does beside the device: the native executor's cost per dispatch, the making of
 * batches, how free the event loop is in training, and how long the tokenizer holds it while it is read.
 *
 *   node packages/bench/dist/host.js [--device lavapipe] [--runs 200] [--pairs 128] [--batches 100] [--steps 20]
 *     [--shared ../shared/data] [--only tokenizer]
 *
 * Times are processor time of a thread, which other load on the machine disturbs less than wall clock. Texts are
 * XQuAD-R's, in XLM-R's tokens, where `--shared` has them, else made up. Writes
 * `host.json` and `host-tokenizer.json` of `packages/bench/results/<device>/`, with `--only tokenizer` the second alone.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Executor } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import { checkNumbers, tellMistakes } from './arguments.js';
import { measureBatches, measureReading } from './host-batch.js';
import { hostData } from './host-data.js';
import { measureDispatches } from './host-dispatch.js';
import { measureLoop } from './host-loop.js';
import { measureTokenizer } from './host-tokenizer.js';
import { environment, libraryVersion, writeResult } from './results.js';
import { tinyShape } from './shapes.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    runs: { type: 'string', default: '200' },
    pairs: { type: 'string', default: '128' },
    batches: { type: 'string', default: '100' },
    steps: { type: 'string', default: '20' },
    only: { type: 'string' },
    shared: { type: 'string', default: fileURLToPath(new URL('../../../../shared/data', import.meta.url)) },
  },
});
checkNumbers(values, ['runs', 'pairs', 'batches', 'steps']);
const [runs, pairs, batches, steps] = [values.runs, values.pairs, values.batches, values.steps].map(
  Number,
) as [number, number, number, number];

if (values.only !== undefined && values.only !== 'tokenizer') {
  console.error(`--only: expected tokenizer but received ${values.only}`);
  process.exit(2);
}
const { lines, tokenizer, about } = await hostData(values.shared);
const options = { executor: 'native', ...(values.device ? { device: values.device } : {}) } as const;
const tokenizerReading = await measureTokenizer(tokenizer.files.tokenizer, 10);
const { main_ms: held, megabytes, tokens } = tokenizerReading;
console.log(
  `a tokenizer of ${tokens} tokens, ${megabytes.toFixed(1)} MB: ${held.median.toFixed(0)} ms of the JavaScript thread to read (p10 ${held.p10.toFixed(0)}, p90 ${held.p90.toFixed(0)})`,
);
const executor = values.only === 'tokenizer' ? await openExecutor(options) : await measureTheRest();
const path = writeResult(executor.device, 'host-tokenizer', {
  benchmark: 'reading a tokenizer.json: processor time of the JavaScript thread',
  version: libraryVersion,
  texts: about,
  ...tokenizerReading,
  ...environment(),
});
console.log(`wrote ${path}`);
executor.destroy();

/** All but the tokenizer; returns the executor that it has opened. */
async function measureTheRest(): Promise<Executor> {
  const { set, reading } = await measureReading({ lines, tokenizer, about }, 5);
  const shape = tinyShape(tokenizer.vocabularySize, 2);
  const making = await measureBatches(set, tokenizer, shape.encoder, { pairs, runs: batches });

  const executor = await openExecutor({ ...options, unchecked: false });
  const dispatch = measureDispatches(executor.device.id, runs);
  const loop = await measureLoop(executor, shape, { set, tokenizer }, { pairs, steps });

  for (const [name, { us_a_dispatch: cost, dispatches }] of Object.entries(dispatch)) {
    console.log(
      `${dispatches} dispatches (${name}): ${cost.before_the_device.median.toFixed(2)} µs each before the device can begin, ${cost.record_ahead.median.toFixed(2)} recording ahead (p10 ${cost.record_ahead.p10.toFixed(2)}, p90 ${cost.record_ahead.p90.toFixed(2)})`,
    );
  }
  const { main_ms: main, other_threads_ms: others } = making;
  console.log(
    `a batch of ${pairs} pairs, ${making.tokens.toFixed(0)} tokens: ${main.total.median.toFixed(2)} ms of the JavaScript thread (sample ${main.sample.median.toFixed(2)}, collate ${main.collate.median.toFixed(2)}, pack ${main.pack.median.toFixed(2)}), ${others.median.toFixed(1)} ms of other threads`,
  );
  for (const [name, { delay_ms: delay, main_ms_a_step: ownMs }] of Object.entries(loop)) {
    console.log(
      `event loop, ${name}: ${delay.mean.toFixed(2)} ms late on average, p99 ${delay.p99.toFixed(2)}, most ${delay.max.toFixed(2)}; ${ownMs.toFixed(1)} ms of the thread a step`,
    );
  }
  const path = writeResult(executor.device, 'host', {
    benchmark: `host side: a training step of 12 layers that are too small to compute anything; batches of ${pairs} pairs; training steps of 2 layers of hidden 64`,
    version: libraryVersion,
    texts: about,
    dispatch,
    reading,
    making,
    event_loop: loop,
    device: { name: executor.device.name, driver: executor.device.driver },
    ...environment(),
  });
  console.log(`wrote ${path}`);
  return executor;
}
