/** A kernel with its constants, one of several that compute the same, and how a measured table overrides a guess. */
import type { KernelName } from '@synglot/kernels';
import type { DeviceTraits } from '../graph.js';

/** A kernel and its constants. */
export interface KernelChoice {
  readonly kernel: KernelName;
  readonly constants: Readonly<Record<string, number | string | boolean>>;
}

/** The choice of the device's table for `shapeClass`, if there is one and it is among the candidates. */
export function tunedChoice(
  device: DeviceTraits,
  shapeClass: string,
  candidates: readonly KernelChoice[],
): KernelChoice | undefined {
  const tuned = device.kernelChoices?.[shapeClass];
  return tuned && candidates.find((candidate) => sameChoice(candidate, tuned));
}

function sameChoice(one: KernelChoice, other: KernelChoice): boolean {
  const entries = Object.entries(one.constants);
  return (
    one.kernel === other.kernel &&
    entries.length === Object.keys(other.constants).length &&
    entries.every(([name, value]) => other.constants[name] === value)
  );
}
