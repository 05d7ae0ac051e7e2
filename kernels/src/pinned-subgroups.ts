/**
 * `@subgroup_size`, for devices whose subgroups have several sizes: WGSL takes it with an extension only, which
 * devices of one size may lack, so it is added to the text where the constant PIN_SUBGROUP_SIZE is true.
 */
import type { KernelDefinition } from './definition.js';

type Constants = Readonly<Record<string, unknown>>;

/** Whether a kernel with these constants asks the device for subgroups of its constant SUBGROUP_SIZE. */
export function subgroupsPinned(definition: KernelDefinition, constants: Constants): boolean {
  const declared = definition.constants.find(({ name }) => name === 'PIN_SUBGROUP_SIZE');
  return declared !== undefined && (constants.PIN_SUBGROUP_SIZE ?? declared.value) === true;
}

/** `source`, its entry point with `@subgroup_size` where it is asked for. */
export function pinSubgroups(source: string, definition: KernelDefinition, constants: Constants): string {
  if (!subgroupsPinned(definition, constants)) return source;
  return source.replace(/@workgroup_size\([^)]*\)/, '$& @subgroup_size(SUBGROUP_SIZE)');
}
