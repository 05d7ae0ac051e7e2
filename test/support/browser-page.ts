/**
 * What `test/e2e/browser.test.ts` runs in Chromium and `test/e2e/wgpu.test.ts` in Firefox and Deno, and the same functions
 * for Node to compare with. Imports packages by their names, as a page's code would; nothing here needs Node.
 */
import {
  createWebGpuExecutor,
  type DeviceInfo,
  type Executor,
  openBrowserExecutor,
  type Plan,
  type PlanKernel,
  warmUpPlan,
} from '@synglot/gpu';
import { catalogue, extensionFeature, kernelCode, kernelExtensions, paramsSizeBytes } from '@synglot/kernels';
import { EmbeddingModel, openCheckpoint } from '@synglot/models';
import {
  buildTrainPlan,
  contrastive,
  defaultAdamW,
  type EncoderConfig,
  encoderParameters,
  ParameterLayout,
} from '@synglot/nn';
import { type TrainingBitsOptions, trainingBits } from './kernel-training-bits.js';

declare const navigator: { readonly gpu: GPU };

export interface Checked {
  readonly names: string[];
  /** Kernels whose extensions the device does not grant. */
  readonly skipped: string[];
  /** What the browser's compiler said against a kernel. */
  readonly failures: string[];
}

/** A kernel with its text and the constants that went into it. */
interface Variant {
  readonly name: string;
  readonly kernel: PlanKernel;
  /** Features that it needs. */
  readonly needs: readonly string[];
}

const miniLm: EncoderConfig = {
  family: 'bert',
  vocabularySize: 30_522,
  hiddenSize: 384,
  layers: 2,
  heads: 12,
  intermediateSize: 1536,
  maxPositions: 512,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  positionOffset: 0,
  initializerRange: 0.02,
};

/** Every kernel with its default constants, and in f16 where it has the choice. */
function variants(): Variant[] {
  return Object.values(catalogue).flatMap((definition) => {
    const halves = Object.fromEntries(definition.types.map(({ name }) => [name, 'f16']));
    return (definition.types.length > 0 ? [{}, halves] : [{}]).map((constants) => ({
      name: `${definition.name}${constants === halves ? ' (f16)' : ''}`,
      kernel: {
        label: definition.name,
        code: kernelCode(definition, constants),
        access: definition.bindings.map(({ access }) => access),
        paramsSizeBytes: paramsSizeBytes(definition),
        usesStep: definition.usesStep,
      },
      needs: kernelExtensions(definition, constants).map((extension) => extensionFeature[extension]),
    }));
  });
}

/** The kernels that a training plan for `device` takes for an encoder of MiniLM's widths. */
function miniLmKernels(device: DeviceInfo): readonly PlanKernel[] {
  const pooling = { mode: 'mean', normalize: true } as const;
  const specs = encoderParameters(miniLm, pooling);
  const plan = buildTrainPlan({
    device,
    config: miniLm,
    pooling,
    mode: 'step',
    layout: new ParameterLayout(specs, device.limits.maxStorageBufferBindingSize),
    capacity: { tokens: 512, queries: 16, candidates: 16 },
    objectives: [contrastive({ temperature: 0.05, direction: 'both' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
  });
  return plan.kernels;
}

/**
 * Has the browser read the WGSL of every kernel that it can run: with default constants, and with those that plans for
 * a software device and for a GPU have. Makes no pipelines.
 */
async function checkModules(executor: Executor): Promise<Checked> {
  const checked: Checked = { names: [], skipped: [], failures: [] };
  const { features } = executor.device;
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
  const check = async (name: string, code: string) => {
    checked.names.push(name);
    device.pushErrorScope('validation');
    const info = device.createShaderModule({ code }).getCompilationInfo();
    const error = await device.popErrorScope();
    const { messages } = await info;
    for (const { type, lineNum, message } of messages) {
      if (type !== 'info') checked.failures.push(`${name}:${lineNum}: ${type}: ${message}`);
    }
    if (error && messages.length === 0) checked.failures.push(`${name}: ${error.message}`);
  };
  for (const { name, kernel, needs } of variants()) {
    if (needs.every((feature) => features.includes(feature))) await check(name, kernel.code);
    else checked.skipped.push(name);
  }
  for (const type of ['cpu', 'discrete-gpu'] as const) {
    for (const { label, code } of miniLmKernels({ ...executor.device, type })) {
      await check(`${label} of MiniLM for ${type}`, code);
    }
  }
  device.destroy();
  return checked;
}

/**
 * Makes the pipeline of every kernel that the device can run: with default constants, and with those of a plan for
 * MiniLM's widths. Leaves out the tiled products and attention of GPUs, which SwiftShader takes seconds each for.
 */
async function compileKernels(executor: Executor): Promise<Checked> {
  const checked: Checked = { names: [], skipped: [], failures: [] };
  const { features } = executor.device;
  const own = miniLmKernels(executor.device).map((kernel) => ({
    name: `${kernel.label} of MiniLM`,
    kernel,
    needs: [] as string[],
  }));
  for (const { name, kernel, needs } of [...variants(), ...own]) {
    const slow = /^(matmul|attention).*_workgroup/.test(name);
    if (slow || needs.some((feature) => !features.includes(feature))) {
      checked.skipped.push(name);
      continue;
    }
    checked.names.push(name);
    try {
      const one: Plan = { label: name, kernels: [kernel], buffers: [], commands: [], stepBuffer: -1 };
      (await executor.compile(warmUpPlan(one))).destroy();
    } catch (error) {
      checked.failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  return checked;
}

/** `trainingBits` as plain lists, which a page can hand over. */
export async function plainTrainingBits(
  executor: Executor,
  steps: number,
  options: TrainingBitsOptions = {},
): Promise<[string, number[]][]> {
  return [...(await trainingBits(executor, steps, options))].map(([name, words]) => [name, [...words]]);
}

/** Embeds texts with a model's folder, or in a page with its address: [texts, dimension], row-major. */
export async function embedWith(
  executor: Executor,
  model: string,
  texts: string[],
  adapter?: string,
): Promise<number[]> {
  const checkpoint = await openCheckpoint(model, adapter === undefined ? {} : { adapter });
  const encoder = await EmbeddingModel.load(executor, checkpoint);
  const vectors = await encoder.embed(texts);
  await encoder.destroy();
  return [...vectors];
}

/** What the test calls in the page. */
const pageFunctions = {
  createWebGpuExecutor,
  openBrowserExecutor,
  EmbeddingModel,
  openCheckpoint,
  checkModules,
  compileKernels,
  plainTrainingBits,
  embedWith,
};
export type PageFunctions = typeof pageFunctions;

(globalThis as { synglot?: PageFunctions }).synglot = pageFunctions;
