/**
 * A plan: plain, printable data that an executor compiles once and replays every step.
 *
 * A plan knows shapes only as byte sizes and workgroup counts. It does not know what an op or a
 * layer is; `plan-builder.ts` makes plans, `executor.ts` runs them.
 */

/** Where a kernel's `Params` are bound; its storage buffers are the bindings 0, 1, 2 … All bindings are of group 0. */
export const paramsBinding = 16;
/** Where the plan's `Step` uniform is bound. */
export const stepBinding = 17;

/** One distinct pipeline: a complete WGSL module (prologue included) with the entry point `main`. */
export interface PlanKernel {
  /** Catalogue name; also the pipeline's label and the row in profiles. */
  readonly label: string;
  readonly code: string;
  /** Access of the storage bindings 0, 1, 2 … */
  readonly access: readonly ('read' | 'read_write')[];
  /** Bytes of the uniform at `paramsBinding`; 0 when the kernel has no `Params`. */
  readonly paramsSizeBytes: number;
  /** Whether the plan's `Step` uniform is at `stepBinding`. */
  readonly usesStep: boolean;
}

/**
 * - `external`: bound by name when the plan is compiled (weights, gradients, optimiser state).
 * - `feed`: owned by the compiled plan, written at the start of a run when a feed of that name is given.
 * - `transient`: owned by the compiled plan; shared by tensors whose lifetimes do not overlap.
 * - `result`: owned by the compiled plan; may be read back after a run.
 */
export type PlanBufferRole = 'external' | 'feed' | 'transient' | 'result';

/** A buffer that the commands of a plan name by its index. */
export interface PlanBuffer {
  /** Unique within the plan for external, feed and result buffers. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly role: PlanBufferRole;
  /** For an external that is a range of a larger buffer (a slab): which buffer, and where the range begins. */
  readonly within?: BufferRange;
}

/** Where a view begins. Views of one buffer may overlap; one dispatch either reads or writes all that it binds. */
export interface BufferRange {
  /** Name of the external buffer that is given when the plan is compiled. */
  readonly name: string;
  /** A multiple of `viewAlignmentBytes`. */
  readonly offsetBytes: number;
}

/** Every device binds at multiples of 256 bytes: WebGPU's largest `minStorageBufferOffsetAlignment`. */
export const viewAlignmentBytes = 256;

/** Runs a kernel over its buffers. */
export interface DispatchCommand {
  readonly kind: 'dispatch';
  /** Index into `Plan.kernels`. */
  readonly kernel: number;
  /** Indices into `Plan.buffers`, one per storage binding, in binding order. */
  readonly buffers: readonly number[];
  /** Packed `Params`, `paramsSizeBytes` long; written once when the plan is compiled. */
  readonly params: Uint8Array;
  readonly workgroups: readonly [number, number, number];
  /** What this dispatch computes, for people: `layer 3 attention output`. */
  readonly label: string;
}

/** Copies bytes between two buffers, both indices into `Plan.buffers`. */
export interface CopyCommand {
  readonly kind: 'copy';
  readonly source: number;
  readonly sourceOffsetBytes: number;
  readonly destination: number;
  readonly destinationOffsetBytes: number;
  readonly sizeBytes: number;
}

/** Sets bytes of a buffer, an index into `Plan.buffers`, to zero. */
export interface ClearCommand {
  readonly kind: 'clear';
  readonly buffer: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** What a plan does in one step; a command sees what those before it wrote. */
export type PlanCommand = DispatchCommand | CopyCommand | ClearCommand;

/** A tensor that shares a buffer with others, and the first and last command that touches it. */
export interface PlanTransient {
  readonly name: string;
  readonly sizeBytes: number;
  /** Index into `Plan.buffers`. */
  readonly buffer: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Kernels, buffers and commands: all that an executor needs. `PlanBuilder` makes one from the catalogue's kernels.
 */
export interface Plan {
  readonly label: string;
  readonly kernels: readonly PlanKernel[];
  readonly buffers: readonly PlanBuffer[];
  readonly commands: readonly PlanCommand[];
  /** For `planMemory`; executors ignore it, and plans made by hand may lack it. */
  readonly transients?: readonly PlanTransient[];
  /** Index of the feed buffer that every kernel with `usesStep` sees at `stepBinding`, or -1. */
  readonly stepBuffer: number;
}
