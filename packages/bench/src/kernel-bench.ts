/** Checks and times one op on a device. What the ops are is in `kernel-cases.ts`. */
import type { CompiledPlan, Executor } from '@synglot/gpu';
import { type DeviceTraits, Graph, ParameterStore, packStep } from '@synglot/nn';
import { raiseClocks } from './gpu-clocks.js';
import { type Element, fromElement, toElement } from './half.js';
import { uniform } from './shapes.js';
import { type Spread, spread } from './statistics.js';

/** An op with its inputs; sizes are fixed. */
export interface KernelCase {
  readonly name: string;
  /** Where it is a matrix product: which, and how large. */
  readonly product?: {
    readonly kind: 'nt' | 'nn' | 'tn';
    readonly m: number;
    readonly n: number;
    readonly k: number;
    readonly element: Element;
  };
  /** Inputs by name, filled with seeded values in [-1, 1). */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Parameters by name, filled likewise; `reference` gets them among the inputs. */
  readonly parameters?: Readonly<Record<string, readonly number[]>>;
  /** Index data by name. */
  readonly feeds?: Readonly<Record<string, Uint32Array>>;
  readonly output: readonly number[];
  /** How inputs are stored, default f32; in f16 their values are multiples of 1/64. */
  readonly element?: Element;
  /** How the output is stored, default f32. */
  readonly outputElement?: Element;
  /** Emits the op; `inputs` are externals and feeds, `output` is a result. */
  readonly emit: (g: Graph, tensors: CaseTensors) => void;
  /** The value of output element `index` in double precision. */
  readonly reference: (inputs: Readonly<Record<string, Float32Array>>, index: number) => number;
  /** Allowed absolute difference, beside what storing the output in half precision costs. */
  readonly tolerance: number;
  readonly flops: number;
  /** Bytes that must be read and written at least. */
  readonly bytes: number;
  readonly counts?: Parameters<typeof packStep>[0]['counts'];
}

export interface CaseTensors {
  readonly inputs: Readonly<Record<string, ReturnType<Graph['plan']['external']>>>;
  readonly output: ReturnType<Graph['plan']['result']>;
}

export interface KernelResult {
  readonly name: string;
  readonly product?: KernelCase['product'];
  readonly kernels: readonly string[];
  /** Sum over the op's dispatches. */
  readonly seconds: Spread;
  readonly clock: 'device timestamps' | 'wall';
  readonly gflops_per_second: number;
  readonly gb_per_second: number;
  /** Largest difference from double precision among the checked elements. */
  readonly worst_difference: number;
}

const checkedElements = 200;

/**
 * @param device chooses the kernels
 * @throws Error if a checked element is further from double precision than the case allows
 */
export async function measureCase(
  executor: Executor,
  each: KernelCase,
  runs: number,
  device: DeviceTraits = executor.device,
): Promise<KernelResult> {
  const specs = Object.entries(each.parameters ?? {}).map(([name, shape]) => ({ name, shape }));
  const store = new ParameterStore(executor, specs);
  const precision = each.element === 'f16' ? 'mixed' : 'f32';
  const g = new Graph(each.name, store.layout, false, device, precision);
  const inputs: Record<string, ReturnType<Graph['plan']['external']>> = {};
  for (const [name, shape] of Object.entries(each.inputs))
    inputs[name] = g.plan.external(name, shape, each.element);
  for (const [name, values] of Object.entries(each.feeds ?? {})) {
    inputs[name] = g.plan.feed(name, [values.length]);
  }
  const output = g.plan.result('output', each.output, each.outputElement);
  each.emit(g, { inputs, output });
  const plan = g.plan.build();
  const random = uniform(7);
  const data: Record<string, Float32Array> = {};
  const buffers = new Map<string, ReturnType<Executor['createBuffer']>>();
  try {
    for (const [name, shape] of Object.entries(each.inputs)) {
      data[name] = seededValues(product(shape), each.element, random);
      const stored = toElement(data[name], each.element);
      const buffer = executor.createBuffer(name, stored.byteLength);
      buffers.set(name, buffer);
      executor.write(buffer, stored);
    }
    await store.load('parameter', async (name, begin, end) => {
      const shape = store.layout.shape(name);
      data[name] ??= seededValues(product(shape), 'f32', random);
      const columns = product(shape.slice(1));
      return data[name].subarray(begin * columns, end * columns);
    });
    const compiled = await executor.compile(plan, new Map([...buffers, ...store.externals]));
    try {
      return await checkAndTime(executor, compiled, each, data, runs);
    } finally {
      compiled.destroy();
    }
  } finally {
    store.destroy();
    for (const buffer of buffers.values()) buffer.destroy();
  }
}

async function checkAndTime(
  { device }: Executor,
  compiled: CompiledPlan,
  each: KernelCase,
  data: Readonly<Record<string, Float32Array>>,
  runs: number,
): Promise<KernelResult> {
  const { plan } = compiled;
  const usesStep = plan.stepBuffer >= 0;
  const feeds = {
    ...each.feeds,
    ...(usesStep ? { step: packStep({ counts: each.counts ?? {} }) } : {}),
  };
  const { reads } = await compiled.run({ feeds, reads: ['output'] });
  const worst = check(each, data, fromElement(reads.output as ArrayBuffer, each.outputElement));
  await raiseClocks(device, () => compiled.run({ feeds }));
  const times: number[] = [];
  let clock: KernelResult['clock'] = 'device timestamps';
  for (let run = 0; run <= runs; run++) {
    const begin = performance.now();
    const { timings } = await compiled.run({ feeds, profile: true });
    const wall = (performance.now() - begin) / 1000;
    const onDevice = (timings ?? []).reduce((sum, { timeNs }) => sum + timeNs, 0) / 1e9;
    if (onDevice === 0) clock = 'wall';
    if (run > 0) times.push(onDevice || wall);
  }
  const seconds = spread(times);
  return {
    name: each.name,
    ...(each.product ? { product: each.product } : {}),
    kernels: plan.kernels.map(({ label }) => label),
    seconds,
    clock,
    gflops_per_second: each.flops / seconds.median / 1e9,
    gb_per_second: each.bytes / seconds.median / 1e9,
    worst_difference: worst,
  };
}

/** In [-1, 1), for f16 multiples of 1/64. A loop: matrices of a GPU's sizes have millions of elements. */
function seededValues(count: number, element: Element | undefined, random: () => number): Float32Array {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const value = random() * 2 - 1;
    values[index] = element === 'f16' ? Math.round(64 * value) / 64 : value;
  }
  return values;
}

function check(
  { reference, tolerance, outputElement }: KernelCase,
  inputs: Readonly<Record<string, Float32Array>>,
  output: Float32Array,
): number {
  const random = uniform(11);
  let worst = 0;
  for (let sample = 0; sample < checkedElements; sample++) {
    const index = Math.floor(random() * output.length);
    const expected = reference(inputs, index);
    const found = output[index] as number;
    const difference = Math.abs(found - expected);
    const allowed = tolerance + (outputElement === 'f16' ? 2 ** -11 * Math.abs(expected) : 0);
    // Written so that NaN fails.
    if (!(difference <= allowed)) {
      throw new Error(`element ${index} is ${found}, expected ${expected} within ${allowed}`);
    }
    worst = Math.max(worst, difference);
  }
  return worst;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}
