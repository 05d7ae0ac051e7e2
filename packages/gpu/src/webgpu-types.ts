/// <reference types="@webgpu/types" />
// Brings the WebGPU types into scope for this package and nobody else.
export {};
