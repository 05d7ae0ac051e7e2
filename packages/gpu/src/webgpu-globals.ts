/**
 * WebGPU's types as this package's declarations name them: the program's own if it has them (`@webgpu/types`, or
 * `lib: dom` of newer TypeScript), else `object`, so that the declarations check in a program with neither.
 */
type Known<Name extends string> =
  typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : object;

/** A `GPU`, such as `navigator.gpu`. */
export type WebGpu = Known<'GPU'>;

/** A `GPUDevice`. */
export type WebGpuDevice = Known<'GPUDevice'>;
