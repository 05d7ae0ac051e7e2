/** An executor in front of another, for devices with other traits than their own and plans that are rewritten. */
import type { DeviceInfo, Executor } from '@synglot/gpu';

/** `inner`, but for what is given; destroying it destroys `inner`. */
export function overExecutor(
  inner: Executor,
  changes: { readonly device?: Partial<DeviceInfo>; readonly compile?: Executor['compile'] },
): Executor {
  return {
    kind: inner.kind,
    device: { ...inner.device, ...changes.device },
    createBuffer: (label, sizeBytes) => inner.createBuffer(label, sizeBytes),
    write: (buffer, data, offsetBytes) => inner.write(buffer, data, offsetBytes),
    read: (buffer, offsetBytes, sizeBytes) => inner.read(buffer, offsetBytes, sizeBytes),
    compile: changes.compile ?? ((plan, externals) => inner.compile(plan, externals)),
    destroy: () => inner.destroy(),
  };
}
