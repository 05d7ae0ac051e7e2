/**
 * The context in which ops emit a plan: the builder, the parameters' tensors, dropout sites.
 *
 * There is no automatic differentiation: an op is a function that emits its forward dispatches and
 * returns its output together with a hand-written `backward`, which emits the gradient's dispatches
 * when it is called. Composition is plain TypeScript (see encoder/layer.ts).
 */
import { bytesPerElement, type DeviceInfo, PlanBuilder, type Tensor } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { type Axis, countSlots } from './axis.js';
import type { AttentionProblem, AttentionStrategy } from './ops/attention-kernels.js';
import type { KernelChoice } from './ops/kernel-choice.js';
import type { MatmulProblem } from './ops/matmul-candidates.js';
import { elementTypeOf, halfKind, type ParameterLayout, type ParameterPart, slabName } from './parameters.js';
import type { SlabPlace } from './slabs.js';

/** A matrix [axis.capacity, columns]; only the axis's live rows hold values. */
export interface Activation {
  readonly tensor: Tensor;
  readonly axis: Axis;
  readonly columns: number;
  /** Nothing below it is trained: nobody needs its gradient, which is not computed. */
  readonly frozen?: boolean;
}

/** What an op with one input returns. */
export interface Differentiable {
  readonly output: Activation;
  /**
   * Emits the gradient of the input, given that of the output; parameters' gradients are accumulated. Emits nothing
   * for a frozen output, and no gradient of a frozen input: what it returns is then never written.
   */
  backward(dOutput: Activation): Activation;
}

/** The same for an op whose input's gradient is a product, which can be added to what is there. */
export interface Accumulating extends Differentiable {
  /** With `into`, the input's gradient is added to it, and it is returned, instead of written to a fresh tensor. */
  backward(dOutput: Activation, into?: Activation): Activation;
}

/** A dropout rate as the kernels take it. */
export interface DropoutParams {
  readonly dropout_site: number;
  readonly dropout_threshold: number;
  readonly dropout_keep_scale: number;
}

/** What decides between kernels on a device. */
export interface DeviceTraits
  extends Pick<DeviceInfo, 'type' | 'subgroups'>,
    Partial<Pick<DeviceInfo, 'features' | 'limits' | 'subgroupMatrixConfigs'>> {
  /**
   * Measured choices by `matmulShapeClass` and `attentionShapeClass`; for what is not among them, the traits decide.
   */
  readonly kernelChoices?: Readonly<Record<string, KernelChoice>>;
  /** How attention is computed if possible, whatever was measured; by default the traits decide. */
  readonly attentionStrategy?: AttentionStrategy;
  /** Called for each matrix product that is emitted; for tuning. */
  readonly onMatmul?: (problem: MatmulProblem) => void;
  /** Called for each attention kernel that is emitted, with the number of tokens and heads; for tuning. */
  readonly onAttention?: (problem: AttentionProblem, tokens: number, heads: number) => void;
}

/**
 * - `f32`: everything is stored as f32
 * - `mixed`: matrices over tokens, their gradients and copies of the weights that multiply them are stored as
 *   f16; weights, their gradients, statistics and everything per sequence stay f32
 */
export type Precision = 'f32' | 'mixed';

const portableDevice: DeviceTraits = { type: 'unknown', subgroups: { minSize: 0, maxSize: 0 } };

/** What ops emit into: a plan, the tensors of parameters, and what ops need to know of the run and the device. */
export class Graph {
  readonly plan: PlanBuilder;
  readonly #externals = new Map<string, Tensor>();
  readonly #feeds = new Map<string, Tensor>();
  #sites = 0;
  /** Suffix of the results' names: a plan that goes over a batch twice has two of each. */
  pass = '';

  /**
   * @param training turns dropout on
   * @param device for which ops choose kernels; by default they choose those that run everywhere
   * @param precision `mixed` needs a device with `shader-f16`
   */
  constructor(
    label: string,
    readonly layout: ParameterLayout,
    readonly training: boolean,
    readonly device: DeviceTraits = portableDevice,
    readonly precision: Precision = 'f32',
  ) {
    this.plan = new PlanBuilder(label);
  }

  /** A tensor that the host writes before each run; asking for a name again returns the same tensor. */
  feed(name: string, shape: readonly number[], type: 'u32' | 'f32' = 'u32'): Tensor {
    const tensor = this.#feeds.get(name) ?? this.plan.feed(name, shape, type);
    this.#feeds.set(name, tensor);
    return tensor;
  }

  /** A tensor that the host may read after a run, called `name` in the first pass. */
  result(name: string, shape: readonly number[]): Tensor {
    return this.plan.result(name + this.pass, shape);
  }

  /** An intermediate matrix. `frozen`: what `frozen()` says about the op that computes it. */
  activation(name: string, axis: Axis, columns: number, frozen = false): Activation {
    const type = this.precision === 'mixed' && axis.slot === 'tokens' ? 'f16' : 'f32';
    return { tensor: this.plan.transient(name, [axis.capacity, columns], type), axis, columns, frozen };
  }

  /** Statistics of rows, f32 in every precision. */
  statistics(name: string, axis: Axis, columns: number): Tensor {
    return this.plan.transient(name, [axis.capacity, columns]);
  }

  /** Whether there is nothing to train in an op with these inputs and parameters, or below it. */
  frozen(inputs: readonly Activation[], parameters: readonly string[] = []): boolean {
    return inputs.every(({ frozen }) => frozen) && !parameters.some((name) => this.trains(name));
  }

  /** Whether a parameter is trained, that is, has a gradient. */
  trains(name: string): boolean {
    return this.layout.trains(name);
  }

  /** The weight of a parameter that is not split. */
  parameter(name: string): Tensor {
    return this.#whole('parameter', name);
  }

  /** The weight for a product with `x`: the parameter, or its copy in half precision. */
  weight(name: string, x: Activation): Tensor {
    return this.#whole(x.tensor.type === 'f16' ? halfKind : 'parameter', name);
  }

  /** The same for parameters that lie side by side (`layout.adjacent`), as one matrix stacked by rows. */
  stackedWeight(names: readonly string[], x: Activation): Tensor {
    return this.stacked(x.tensor.type === 'f16' ? halfKind : 'parameter', names);
  }

  /** The tensor of `kind` of parameters that lie side by side, stacked by rows. */
  stacked(kind: string, names: readonly string[]): Tensor {
    const [first = ''] = names;
    if (names.length === 1) return this.#whole(kind, first);
    if (!this.layout.adjacent(names)) throw new RangeError(`${names.join(', ')} do not lie side by side`);
    const rows = names.reduce((sum, name) => sum + (this.shape(name)[0] as number), 0);
    const [part] = this.layout.parts(first) as readonly [ParameterPart];
    return this.#view(`${kind} ${names.join(' + ')}`, kind, [rows, ...part.shape.slice(1)], part);
  }

  /** The gradient of a parameter that is not split. */
  gradient(name: string): Tensor {
    return this.#whole('gradient', name);
  }

  /** The parts of a parameter that may be split by rows, with the tensor of `kind` for each. */
  parts(kind: string, name: string): { part: ParameterPart; tensor: Tensor }[] {
    return this.layout.parts(name).map((part) => ({ part, tensor: this.#external(kind, part) }));
  }

  /** Elements [begin, end) of a slab of `kind`: several parameters at once, and the zeros between them. */
  slabRange(kind: string, slab: number, begin: number, end: number): Tensor {
    return this.#view(`${slabName(kind, slab)} [${begin}, ${end})`, kind, [end - begin], {
      slab,
      offsetElements: begin,
    });
  }

  /** Shape of a parameter. */
  shape(name: string): readonly number[] {
    return this.layout.shape(name);
  }

  /** Whether dropout at `rate` does anything in this graph, and the kernels' parameters for the next site. */
  dropout(rate: number): { active: boolean; params: DropoutParams } {
    const active = this.training && rate > 0;
    const site = this.#sites++;
    return {
      active,
      params: {
        dropout_site: site,
        dropout_threshold: active ? Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32)) : 0,
        dropout_keep_scale: active ? 1 / (1 - rate) : 1,
      },
    };
  }

  /** The number that the next dropout site will have. */
  get nextSite(): number {
    return this.#sites;
  }

  /** Emits again what began at dropout site `site`, with the same masks. */
  replayFrom<T>(site: number, emit: () => T): T {
    const after = this.#sites;
    this.#sites = site;
    const emitted = emit();
    this.#sites = after;
    return emitted;
  }

  #whole(kind: string, name: string): Tensor {
    const parts = this.layout.parts(name);
    if (parts.length !== 1) throw new RangeError(`Parameter '${name}' is split; this op needs it whole`);
    return this.#external(kind, parts[0] as ParameterPart);
  }

  #external(kind: string, part: ParameterPart): Tensor {
    return this.#view(`${kind} ${part.key}`, kind, part.shape, part);
  }

  #view(name: string, kind: string, shape: readonly number[], { slab, offsetElements }: SlabPlace): Tensor {
    let tensor = this.#externals.get(name);
    if (!tensor) {
      const type = elementTypeOf(kind);
      const within = { name: slabName(kind, slab), offsetBytes: offsetElements * bytesPerElement[type] };
      tensor = this.plan.external(name, shape, type, within);
      this.#externals.set(name, tensor);
    }
    return tensor;
  }
}

/** The element type of a kernel, given a tensor that it reads or writes. */
export function storedType({ type }: Tensor): ElementChoice {
  return type === 'f16' ? 'f16' : 'f32';
}

/** `rows` and `rows_count` parameters of an axis. */
export function rowParams(axis: Axis): { rows: number; rows_count: number } {
  return { rows: axis.capacity, rows_count: countSlots[axis.slot] };
}

/**
 * Workgroups for a kernel that strides over vectors of four elements: on a GPU enough to hide the latency of its
 * memory, on a software device fewer, since each has its cost.
 */
export function stridedWorkgroups(
  { type }: Pick<DeviceTraits, 'type'>,
  axis: Axis,
  columns: number,
  workgroupSize = 64,
): [number] {
  const most = type === 'cpu' ? 1024 : 8192;
  return [Math.max(1, Math.min(most, Math.ceil((axis.capacity * columns) / 4 / workgroupSize)))];
}

/** Workgroups for a kernel with one invocation per row. */
export function rowWorkgroups(axis: Axis, workgroupSize = 64): [number] {
  return [Math.ceil(axis.capacity / workgroupSize)];
}
