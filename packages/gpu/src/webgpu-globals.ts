/**
 * WebGPU's types as this package's declarations name them: the program's own where it has them (`@webgpu/types`, or
 * `lib: dom` of newer TypeScript), else objects. So they check in a program with neither.
 */
type Known<Name extends string> =
  typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : object;

/** A `GPU`, such as `navigator.gpu`. */
export type WebGpu = Known<'GPU'>;

/** A `GPUDevice`. */
export type WebGpuDevice = Known<'GPUDevice'>;
