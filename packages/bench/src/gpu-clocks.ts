/** An idle GPU lowers its clocks: what takes milliseconds is measured after the GPU has worked for a while. */
import type { DeviceInfo } from '@synglot/gpu';

const workMs = 200;

/** Calls `once` again and again for a fifth of a second on a GPU; does nothing on a software device. */
export async function raiseClocks(
  { type }: Pick<DeviceInfo, 'type'>,
  once: () => Promise<unknown>,
): Promise<void> {
  if (type === 'cpu') return;
  const until = performance.now() + workMs;
  do await once();
  while (performance.now() < until);
}
