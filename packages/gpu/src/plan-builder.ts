/**
 * Builds plans: records dispatches over tensors, then assigns tensors to buffers by lifetime.
 *
 * Knows kernels by their definition only, the catalogue's or one's own; what is computed is nn's business.
 */
import {
  bindingScalar,
  catalogue,
  type KernelBindingName,
  type KernelConstants,
  type KernelDefinition,
  type KernelName,
  type KernelParams,
  kernelCode,
  packParams,
  paramsSizeBytes,
} from '@synglot/kernels';
import { assignTransients, type TransientUse } from './assign-transients.js';
import { checkDefinition } from './check-definition.js';
import { GpuError } from './errors.js';
import {
  type BufferRange,
  type Plan,
  type PlanBuffer,
  type PlanBufferRole,
  type PlanCommand,
  type PlanKernel,
  viewAlignmentBytes,
} from './plan.js';
import { type ElementType, type Tensor, tensorSizeBytes } from './tensor.js';

/** Bytes of the `Step` uniform (kernels/wgsl/include_step.wgsl). */
export const stepFeedSizeBytes = 80;
/** Name of the feed that holds the `Step` uniform. */
export const stepFeedName = 'step';

const maxWorkgroupsPerDimension = 65535;

/** What a dispatch binds, is given and chooses. All bindings and params of the kernel are needed. */
export interface DispatchOptions<Name extends KernelName> {
  readonly bindings: Readonly<Record<KernelBindingName<Name>, Tensor>>;
  readonly params: KernelParams<Name>;
  readonly constants?: KernelConstants<Name>;
  readonly workgroups: readonly [number, number?, number?];
  /** What this dispatch computes, for people. */
  readonly label: string;
}

/** The same for a kernel that is not in the catalogue: its names and types are known to its definition alone. */
export interface OwnDispatchOptions extends Pick<DispatchOptions<KernelName>, 'workgroups' | 'label'> {
  readonly bindings: Readonly<Record<string, Tensor>>;
  readonly params: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, number | boolean | string>>;
}

interface TensorState {
  readonly tensor: Tensor;
  readonly role: PlanBufferRole;
  readonly within: BufferRange | undefined;
  first: number;
  last: number;
}

/**
 * Records dispatches, copies and clears over tensors, then makes a plan of them. A mistake is a GpuError `PLAN_INVALID`,
 * a constant or parameter that the kernel does not take a TypeError or RangeError.
 */
export class PlanBuilder {
  readonly #label: string;
  readonly #tensors: TensorState[] = [];
  readonly #names = new Set<string>();
  readonly #kernels: PlanKernel[] = [];
  readonly #kernelIndex = new Map<string, number>();
  /** Texts of kernels, by definition and constants. */
  readonly #codes = new Map<KernelDefinition, Map<string, string>>();
  /** Commands whose buffer fields are still tensor ids. */
  readonly #commands: PlanCommand[] = [];
  #step: Tensor | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  /**
   * A tensor whose buffer is bound by name when the plan is compiled (weights, gradients, state).
   *
   * @param within makes it a view: the buffer that is bound, and where in it the tensor begins
   */
  external(name: string, shape: readonly number[], type: ElementType = 'f32', within?: BufferRange): Tensor {
    if (within && within.offsetBytes % viewAlignmentBytes !== 0) {
      throw new GpuError(
        'PLAN_INVALID',
        `tensor '${name}' begins at byte ${within.offsetBytes} of '${within.name}'; expected a multiple of ${viewAlignmentBytes}`,
      );
    }
    return this.#add('external', name, shape, type, within);
  }

  /** A tensor that the host writes before each run. */
  feed(name: string, shape: readonly number[], type: ElementType = 'u32'): Tensor {
    return this.#add('feed', name, shape, type);
  }

  /** A tensor that the host may read after a run. */
  result(name: string, shape: readonly number[], type: ElementType = 'f32'): Tensor {
    return this.#add('result', name, shape, type);
  }

  /** A tensor that lives from its first to its last use; its memory is shared with others. */
  transient(name: string, shape: readonly number[], type: ElementType = 'f32'): Tensor {
    return this.#add('transient', name, shape, type);
  }

  /** Records one dispatch of a kernel with all its bindings: one of the catalogue by its name, or one's own. */
  dispatch<Name extends KernelName>(kernel: Name, options: DispatchOptions<Name>): void;
  dispatch(kernel: KernelDefinition, options: OwnDispatchOptions): void;
  dispatch(kernel: KernelName | KernelDefinition, options: OwnDispatchOptions): void {
    const definition = typeof kernel === 'string' ? catalogue[kernel] : kernel;
    if (!definition) {
      throw new GpuError('PLAN_INVALID', `plan '${this.#label}': ${unknownKernel(String(kernel))}`);
    }
    const { constants = {} } = options;
    const where = `dispatch '${options.label}' of kernel '${definition.name}'`;
    const [x, y = 1, z = 1] = options.workgroups;
    checkWorkgroups([x, y, z], where);
    if (typeof kernel !== 'string' && !this.#codes.has(kernel)) checkDefinition(kernel, where);
    const buffers = this.#bind(definition, options.bindings, constants, where);
    if (definition.usesStep) this.#step ??= this.feed(stepFeedName, [stepFeedSizeBytes / 4]);
    this.#commands.push({
      kind: 'dispatch',
      kernel: this.#kernel(definition, this.#code(definition, constants)),
      buffers,
      params: packParams(definition, options.params),
      workgroups: [x, y, z],
      label: options.label,
    });
  }

  /** Copies all of `source` to `destination`; same size. */
  copy(source: Tensor, destination: Tensor): void {
    if (source.sizeBytes !== destination.sizeBytes) {
      throw new GpuError(
        'PLAN_INVALID',
        `copy '${source.name}' → '${destination.name}': ${source.sizeBytes} bytes into ${destination.sizeBytes}`,
      );
    }
    this.#use(source, false, 'copy');
    this.#use(destination, true, 'copy');
    this.#commands.push({
      kind: 'copy',
      source: source.id,
      sourceOffsetBytes: 0,
      destination: destination.id,
      destinationOffsetBytes: 0,
      sizeBytes: source.sizeBytes,
    });
  }

  /** Fills a tensor with zeros. */
  clear(tensor: Tensor): void {
    this.#use(tensor, true, 'clear');
    this.#commands.push({ kind: 'clear', buffer: tensor.id, offsetBytes: 0, sizeBytes: tensor.sizeBytes });
  }

  /** The finished plan: tensors assigned to buffers, commands in recorded order. */
  build(): Plan {
    const buffers: PlanBuffer[] = [];
    const bufferOf = new Map<number, number>();
    const transients: TransientUse[] = [];
    for (const { tensor, role, within, first, last } of this.#tensors) {
      if (role === 'transient') {
        if (first >= 0) transients.push({ id: tensor.id, sizeBytes: tensor.sizeBytes, first, last });
        continue;
      }
      bufferOf.set(tensor.id, buffers.length);
      buffers.push({ name: tensor.name, sizeBytes: tensor.sizeBytes, role, ...(within ? { within } : {}) });
    }
    const pool = assignTransients(transients);
    for (const [id, slot] of pool.slotOf) bufferOf.set(id, buffers.length + slot);
    pool.sizesBytes.forEach((sizeBytes, slot) => {
      buffers.push({ name: `transient ${slot}`, sizeBytes, role: 'transient' });
    });
    const resolve = (id: number) => bufferOf.get(id) as number;
    const commands = this.#commands.map((command): PlanCommand => {
      if (command.kind === 'dispatch') return { ...command, buffers: command.buffers.map(resolve) };
      if (command.kind === 'clear') return { ...command, buffer: resolve(command.buffer) };
      return { ...command, source: resolve(command.source), destination: resolve(command.destination) };
    });
    const stepBuffer = this.#step ? resolve(this.#step.id) : -1;
    const named = transients.map(({ id, ...use }) => ({
      ...use,
      name: this.#tensors[id]?.tensor.name ?? '',
      buffer: resolve(id),
    }));
    return { label: this.#label, kernels: this.#kernels, buffers, commands, transients: named, stepBuffer };
  }

  #add(
    role: PlanBufferRole,
    name: string,
    shape: readonly number[],
    type: ElementType,
    within?: BufferRange,
  ): Tensor {
    if (shape.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new GpuError('PLAN_INVALID', `tensor '${name}': expected positive sizes but received [${shape}]`);
    }
    if (role !== 'transient') {
      if (this.#names.has(name))
        throw new GpuError('PLAN_INVALID', `plan '${this.#label}' has two tensors '${name}'`);
      this.#names.add(name);
    }
    const sizeBytes = tensorSizeBytes(shape, type);
    const tensor = { id: this.#tensors.length, name, shape: [...shape], type, sizeBytes };
    this.#tensors.push({ tensor, role, within, first: -1, last: -1 });
    return tensor;
  }

  /** The tensors of a kernel's bindings, in its order; refuses what no device would run. */
  #bind(
    definition: KernelDefinition,
    bindings: Readonly<Record<string, Tensor>>,
    constants: Readonly<Record<string, unknown>>,
    where: string,
  ): number[] {
    const bound = definition.bindings.map((binding) => {
      const { name, access } = binding;
      const tensor = bindings[name];
      if (!tensor) throw new GpuError('PLAN_INVALID', `${where}: binding '${name}' is missing`);
      const scalar = bindingScalar(definition, binding, constants);
      if ((scalar === 'f16') !== (tensor.type === 'f16')) {
        throw new GpuError(
          'PLAN_INVALID',
          `${where}: binding '${name}' holds ${scalar} but tensor '${tensor.name}' is ${tensor.type}`,
        );
      }
      const writes = access === 'read_write';
      this.#use(tensor, writes, where);
      // Dawn tracks the whole buffer, whichever range of it is bound.
      return { tensor, writes, buffer: this.#tensors[tensor.id]?.within?.name ?? tensor.id };
    });
    for (const written of bound.filter(({ writes }) => writes)) {
      const { tensor, buffer } = written;
      if (bound.some((other) => other !== written && other.tensor === tensor)) {
        throw new GpuError(
          'PLAN_INVALID',
          `${where}: tensor '${tensor.name}' is bound both as input and output`,
        );
      }
      const read = bound.find((other) => !other.writes && other.buffer === buffer);
      if (read) {
        throw new GpuError(
          'PLAN_INVALID',
          `${where}: '${read.tensor.name}' is read in '${buffer}', which the dispatch writes`,
        );
      }
    }
    return bound.map(({ tensor }) => tensor.id);
  }

  #use(tensor: Tensor, writes: boolean, where: string): void {
    const state = this.#tensors[tensor.id];
    if (state?.tensor !== tensor)
      throw new GpuError('PLAN_INVALID', `${where}: '${tensor.name}' is of another plan`);
    if (state.first < 0) {
      if (state.role === 'transient' && !writes) {
        throw new GpuError('PLAN_INVALID', `${where}: '${tensor.name}' is read before anything wrote it`);
      }
      state.first = this.#commands.length;
    }
    state.last = this.#commands.length;
  }

  /** A kernel's text, made once per set of constants: unrolling takes far longer than the rest of a dispatch. */
  #code(definition: KernelDefinition, constants: Readonly<Record<string, unknown>>): string {
    const codes = this.#codes.get(definition) ?? new Map<string, string>();
    this.#codes.set(definition, codes);
    const key = JSON.stringify(constants);
    const code = codes.get(key) ?? kernelCode(definition, constants);
    codes.set(key, code);
    return code;
  }

  #kernel(definition: KernelDefinition, code: string): number {
    let index = this.#kernelIndex.get(code);
    if (index === undefined) {
      index = this.#kernels.length;
      this.#kernelIndex.set(code, index);
      this.#kernels.push({
        label: definition.name,
        code,
        access: definition.bindings.map((binding) => binding.access),
        paramsSizeBytes: paramsSizeBytes(definition),
        usesStep: definition.usesStep,
      });
    }
    return index;
  }
}

function checkWorkgroups(counts: readonly [number, number, number], where: string): void {
  if (counts.every((count) => Number.isInteger(count) && count >= 1 && count <= maxWorkgroupsPerDimension)) {
    return;
  }
  throw new GpuError(
    'PLAN_INVALID',
    `${where}: expected 1 to 65535 workgroups but received [${counts.join(', ')}]`,
  );
}

/** For callers without types: the kernels that share words with an unknown name. */
function unknownKernel(kernel: string): string {
  const words = new Set(kernel.split('_'));
  const shared = (name: string) => name.split('_').filter((word) => words.has(word)).length;
  const alike = Object.keys(catalogue)
    .filter((name) => shared(name) > 0 || name.startsWith(kernel))
    .sort((one, other) => shared(other) - shared(one));
  return `there is no kernel '${kernel}'; ${alike.length > 0 ? `alike: ${alike.slice(0, 5).join(', ')}` : 'they are in kernels/wgsl'}`;
}
