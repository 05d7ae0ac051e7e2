/** One training step of a shape on a device, ready to be run and timed. Knows no files and prints nothing. */
import { type DispatchTiming, type Executor, type HostTime, type Plan, warmUpPlan } from '@synglot/gpu';
import {
  attentionShapeClass,
  buildCastPlan,
  buildTrainPlan,
  clipResult,
  collectAttention,
  collectMatmuls,
  columnLossResult,
  contrastive,
  type DeviceTraits,
  defaultAdamW,
  type EncoderBatch,
  encoderParameters,
  freshParameters,
  groupsFeed,
  halfKind,
  matmulShapeClass,
  meanLoss,
  type ParameterLayout,
  ParameterStore,
  type Precision,
  packBatch,
  packStep,
  rowLossResult,
  type TunedClass,
  type TuningTable,
  tuneAttention,
  tuneMatmuls,
} from '@synglot/nn';
import { flopsOf, type Shape } from './shapes.js';
import { learningRate, temperature } from './workload.js';

export interface StepBenchOptions {
  readonly shape: Shape;
  readonly batch: EncoderBatch & { readonly groups: Uint32Array };
  /** `sgd` without state and clipping, as the peers do it; `adamw` with clipping, as people train. */
  readonly optimizer: 'sgd' | 'adamw';
  readonly seed?: number;
  /** Default `f32`. */
  readonly precision?: Precision;
  /** Kernels by class; those that it lacks are measured first, as `synglot tune` does. Unless given, none are. */
  readonly tuning?: TuningTable;
  /** Called with each choice that was measured: what comes later may fail, and measuring takes minutes. */
  readonly onTuned?: (choice: TuningTable) => void;
  /** Kernels return at once: what is left is the host's work, and nothing is computed. */
  readonly empty?: boolean;
}

/** What an update cost the host, in nanoseconds. */
export interface StepHostTime extends HostTime {
  /** Wall clock of the call on the JavaScript thread, which returns when the run is queued. */
  readonly callNs: number;
}

export interface StepBench {
  readonly plan: Plan;
  /** What was taken of the table or measured; empty without one. */
  readonly kernelChoices: TuningTable;
  readonly flops: number;
  readonly tokens: number;
  /** Bytes of buffers on the device: the plan's own, and parameters with gradients and state. */
  readonly memory: { readonly plan: number; readonly parameters: number };
  /** Time spent making weights. */
  readonly weightsSeconds: number;
  /** Time spent building the plan. */
  readonly planSeconds: number;
  /** Time spent waiting for kernels to be compiled, after the weights were made. */
  readonly compileSeconds: number;
  /** Runs update `index` and returns the loss before it. */
  run(index: number): Promise<number>;
  /** Runs an update and returns what it cost the host. Native executor only. */
  measureHost(index: number): Promise<StepHostTime>;
  /** Runs an update with timestamps; empty where the device has none. */
  profile(index: number): Promise<readonly DispatchTiming[]>;
  destroy(): void;
}

/** The plan of a step; `device` chooses the kernels. */
export function buildStepPlan(
  { shape, batch, optimizer, precision }: StepBenchOptions,
  layout: ParameterLayout,
  device: DeviceTraits,
): Plan {
  return buildTrainPlan({
    config: shape.encoder,
    pooling: shape.pooling,
    layout,
    device,
    precision: precision ?? 'f32',
    capacity: capacityOf(batch),
    objectives: [contrastive({ temperature, direction: 'query-to-passage' })],
    mode: 'step',
    optimizer:
      optimizer === 'adamw'
        ? { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' }
        : { method: { kind: 'sgd', weightDecay: 0 }, maxGradientNorm: 0, decay: 'all' },
  });
}

function capacityOf({ ids, queries, candidates }: EncoderBatch) {
  // Kernels take four at a time.
  const rounded = (size: number) => Math.ceil(size / 4) * 4;
  return { tokens: rounded(ids.length), queries: rounded(queries), candidates: rounded(candidates) };
}

/** Fills weights, compiles the plan. */
export async function openStepBench(executor: Executor, options: StepBenchOptions): Promise<StepBench> {
  const { shape, batch } = options;
  const { encoder, pooling } = shape;
  const specs = encoderParameters(encoder, pooling);
  const store = new ParameterStore(executor, specs);
  const mixed = options.precision === 'mixed';
  if (mixed) store.allocate(halfKind);
  // As a run would begin; nothing overflows at the shapes that are measured.
  const lossScale = mixed ? 1024 : 1;
  const adamw = options.optimizer === 'adamw';
  const kinds = ['gradient', ...(adamw ? ['first moment', 'second moment'] : [])];
  for (const kind of kinds) store.allocate(kind);
  const build = (device: DeviceTraits) => buildStepPlan(options, store.layout, device);
  const kernelChoices = options.tuning ? await tuned(executor, build, options, options.tuning) : {};
  const planBegin = performance.now();
  const plan = build({ ...executor.device, kernelChoices });
  const planSeconds = (performance.now() - planBegin) / 1000;
  // Weights are made while the device compiles, as a training run does it.
  const warm = executor.compile(warmUpPlan(plan));
  const warming = warm.then((warmUp) => warmUp.run());
  const weightsBegin = performance.now();
  await store.load('parameter', freshParameters(encoder, specs, options.seed ?? 0));
  const weightsSeconds = (performance.now() - weightsBegin) / 1000;
  const warmBegin = performance.now();
  await warming;
  (await warm).destroy();
  if (mixed) {
    const cast = await executor.compile(buildCastPlan(store.layout), store.externals);
    await cast.run();
    cast.destroy();
  }
  const compiled = await executor.compile(options.empty ? withoutWork(plan) : plan, store.externals);
  const compileSeconds = (performance.now() - warmBegin) / 1000;
  const { feeds, counts } = packBatch(encoder, capacityOf(batch), batch);
  const { beta1, beta2 } = adamw ? defaultAdamW : { beta1: 0, beta2: 0 };
  const run = (index: number, profile: boolean) =>
    compiled.run({
      feeds: {
        ...feeds,
        [groupsFeed]: batch.groups,
        step: packStep({
          counts,
          seed: index,
          lossScale,
          gradientScale: 1 / lossScale,
          update: { step: index + 1, learningRate: adamw ? 3e-5 : learningRate, beta1, beta2 },
        }),
      },
      reads: [rowLossResult, columnLossResult, clipResult],
      profile,
    });
  const elements = store.layout.all().reduce((sum, part) => sum + part.elements, 0);
  return {
    plan,
    kernelChoices,
    flops: flopsOf(shape, batch),
    tokens: batch.ids.length,
    weightsSeconds,
    planSeconds,
    compileSeconds,
    memory: {
      plan: plan.buffers.reduce((sum, { role, sizeBytes }) => sum + (role === 'external' ? 0 : sizeBytes), 0),
      parameters: elements * 4 * (1 + kinds.length),
    },
    async run(index) {
      const { reads } = await run(index, false);
      const rows = new Float32Array(reads[rowLossResult] as ArrayBuffer);
      return meanLoss(rows, rows, batch.queries, 'query-to-passage');
    },
    async measureHost(index) {
      const begin = performance.now();
      const running = run(index, false);
      const callNs = (performance.now() - begin) * 1e6;
      const { host } = await running;
      if (!host) throw new Error(`the ${executor.kind} executor does not tell what a run costs the host`);
      return { ...host, callNs };
    },
    async profile(index) {
      return (await run(index, true)).timings ?? [];
    },
    destroy() {
      compiled.destroy();
      store.destroy();
    },
  };
}

/** The fastest kernels for what `build` makes, of `known` where it has them; what is left out is told. */
async function tuned(
  executor: Executor,
  build: (device: DeviceTraits) => Plan,
  { batch: { ids, queries, candidates }, onTuned: keep }: StepBenchOptions,
  known: TuningTable,
): Promise<TuningTable> {
  const onTuned = ({ shapeClass, choice: fastest, leftOut }: TunedClass) => {
    keep?.({ [shapeClass]: fastest });
    for (const { choice, why } of leftOut) console.error(`${shapeClass}: ${choice.kernel} left out: ${why}`);
  };
  const products = collectMatmuls(executor.device, build);
  const passes = collectAttention(executor.device, build);
  const classes = [...products.map(matmulShapeClass), ...passes.map(attentionShapeClass)];
  const textTokens = Math.max(1, Math.round(ids.length / (queries + candidates)));
  const newProducts = products.filter((problem) => !known[matmulShapeClass(problem)]);
  const newPasses = passes.filter((pass) => !known[attentionShapeClass(pass)]);
  const table = {
    ...known,
    ...(await tuneMatmuls(executor, newProducts, { onTuned })),
    ...(await tuneAttention(executor, newPasses, textTokens, { onTuned })),
  };
  return Object.fromEntries(Object.entries(table).filter(([key]) => classes.includes(key)));
}

/** All of the host's work and none of the device's. Not without workgroups, of which Dawn words a warning each time. */
function withoutWork(plan: Plan): Plan {
  const [start, oneGroup] = [/\bfn main\s*\([^{]*\{/, [1, 1, 1] as const];
  return {
    ...plan,
    kernels: plan.kernels.map((kernel) => {
      if (!start.test(kernel.code)) throw new Error(`${kernel.label} has no main`);
      return { ...kernel, code: kernel.code.replace(start, '$& return;') };
    }),
    commands: plan.commands.map((command) =>
      command.kind === 'dispatch' ? { ...command, workgroups: oneGroup } : command,
    ),
  };
}
