/** What the files of the webgpu executor share about buffers: usage flags, and how a staging buffer is read. */
import type {} from './webgpu-types.js';

/** WebGPU's usage flags as numbers: Node has no GPUBufferUsage global. */
export const usage = {
  mapRead: 1,
  copySource: 4,
  copyDestination: 8,
  uniform: 64,
  storage: 128,
  queryResolve: 512,
};
const mapModeRead = 1;

/** Copies what a staging buffer holds once the device has filled it, and frees the buffer. */
export async function takeMapped(staging: GPUBuffer, sizeBytes: number): Promise<ArrayBuffer> {
  await staging.mapAsync(mapModeRead);
  const copy = staging.getMappedRange().slice(0, sizeBytes);
  staging.unmap();
  staging.destroy();
  return copy;
}
