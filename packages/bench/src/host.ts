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
import { measureLoop } from './host-loop.js';
import { measureTokenizer } from './host-tokenizer.js';
import { environment, libraryVersion, writeResult } from './results.js';
import { type Shape, seededBatch } from './shapes.js';
import { spread } from './statistics.js';
import { openStepBench, type StepHostTime } from './step-bench.js';

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

/** XLM-R's kinds of layers, as many as in its base model, so small that computing takes no time. */
function tinyShape(vocabularySize: number, layers: number): Shape {
  return {
    encoder: {
      family: 'xlm-roberta',
      vocabularySize,
      layers,
      hiddenSize: 64,
      heads: 2,
      intermediateSize: 64,
      maxPositions: 258,
      positionOffset: 2,
      typeVocabularySize: 1,
      layerNormEpsilon: 1e-5,
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      initializerRange: 0.02,
    },
    pooling: { mode: 'mean', normalize: true },
  };
}

/** Cost per dispatch of a training step of 12 layers; `empty`: its dispatches have no workgroups. */
async function measureDispatches(executor: Executor, empty: boolean) {
  const shape = tinyShape(512, 12);
  const batch = seededBatch(4, 2, shape.encoder.vocabularySize);
  const step = await openStepBench(executor, { shape, batch, optimizer: 'adamw', empty });
  const dispatches = step.plan.commands.filter(({ kind }) => kind === 'dispatch').length;
  const measured: StepHostTime[] = [];
  for (let run = -10; run < runs; run++) {
    const host = await step.measureHost(run + 10);
    if (run >= 0) measured.push(host);
  }
  step.destroy();
  const aDispatch = (of: (host: StepHostTime) => number) =>
    spread(measured.map((host) => of(host) / 1000 / dispatches));
  return {
    dispatches,
    pipelines: step.plan.kernels.length,
    us_a_dispatch: {
      feeds: aDispatch(({ feedsNs }) => feedsNs),
      record: aDispatch(({ encodeNs }) => encodeNs),
      submit: aDispatch(({ submitNs }) => submitNs),
      before_the_device: aDispatch(({ feedsNs, encodeNs, submitNs }) => feedsNs + encodeNs + submitNs),
      record_ahead: aDispatch(({ aheadNs }) => aheadNs),
      total: aDispatch(({ feedsNs, encodeNs, submitNs, aheadNs }) => feedsNs + encodeNs + submitNs + aheadNs),
      javascript_call: aDispatch(({ callNs }) => callNs),
    },
  };
}

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
  const unchecked = await openExecutor({ ...options, unchecked: true });
  const dispatch = {
    empty: await measureDispatches(executor, true),
    computing: await measureDispatches(executor, false),
    empty_unchecked: await measureDispatches(unchecked, true),
  };
  unchecked.destroy();
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
    benchmark: `host side: a training step of 12 layers without work for the device; batches of ${pairs} pairs; training steps of 2 layers of hidden 64`,
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
