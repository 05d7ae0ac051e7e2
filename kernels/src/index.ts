/**
 * The typed catalogue of kernels: WGSL source plus prologue, and packing of `Params`.
 *
 * Knows nothing of tensors, plans or devices.
 */
import { derivedConstants } from './constants.js';
import type { ElementChoice, KernelDefinition } from './definition.js';
import { type Extension, extensionName } from './extensions.js';
import { catalogue, type KernelName, type KernelTypes } from './generated/catalogue.js';
import { pinSubgroups, subgroupsPinned } from './pinned-subgroups.js';
import { unrollLoops } from './unroll.js';

export type { ElementChoice, KernelDefinition } from './definition.js';
export { type Extension, extensionFeature } from './extensions.js';
export { catalogue, type KernelName, type KernelTypes } from './generated/catalogue.js';

/** Constants and element types that a kernel's dispatch may choose; all have defaults. */
export type KernelConstants<Name extends KernelName> = KernelTypes[Name]['constants'];
/** The fields of a kernel's `Params` uniform. */
export type KernelParams<Name extends KernelName> = KernelTypes[Name]['params'];
/** Names of a kernel's bindings of group 0. */
export type KernelBindingName<Name extends KernelName> = KernelTypes[Name]['bindings'];

/** A complete WGSL module: prologue of element types and constants, includes, kernel. */
export function kernelCode(
  definition: KernelDefinition,
  constants: Readonly<Record<string, unknown>>,
): string {
  for (const name of Object.keys(constants)) {
    const options = [...definition.constants, ...definition.types];
    if (!options.some((option) => option.name === name)) {
      const known = options.map((option) => option.name).join(', ') || 'none';
      throw new TypeError(`Kernel '${definition.name}' has no constant '${name}' (it has: ${known})`);
    }
  }
  const prologue = definition.constants.map(({ name, type, value }) => {
    const chosen = constants[name] ?? value;
    return `const ${name}: ${type} = ${formatConstant(definition.name, name, type, chosen)};`;
  });
  const numbers = Object.fromEntries(
    definition.constants.flatMap(({ name, value }) => {
      const chosen = constants[name] ?? value;
      return typeof chosen === 'number' ? [[name, chosen]] : [];
    }),
  );
  const text = [...definition.includes, definition.source].join('\n');
  const counts = derivedConstants(text, numbers);
  const types = definition.types.map(({ name }) => [name, elementType(definition, name, constants)] as const);
  const aliases = types.flatMap(([name, type]) => [
    `alias ${name} = ${type};`,
    ...(text.includes(`${name}Bits`) ? [`alias ${name}Bits = vec${type === 'f16' ? 2 : 4}<u32>;`] : []),
  ]);
  const enables = kernelExtensions(definition, constants).map((name) => `enable ${extensionName[name]};`);
  return [
    ...enables,
    ...aliases,
    ...prologue,
    ...definition.includes.map((text) => unrollLoops(text, counts)),
    pinSubgroups(unrollLoops(definition.source, counts), definition, constants),
  ].join('\n');
}

/** Extensions that a kernel with these constants needs of the device: what it enables, f16 where a type is, … */
export function kernelExtensions(
  definition: KernelDefinition,
  constants: Readonly<Record<string, unknown>> = {},
): Extension[] {
  const half = definition.types.some(({ name }) => elementType(definition, name, constants) === 'f16');
  const pinned = subgroupsPinned(definition, constants);
  return [
    ...new Set<Extension>([
      ...(half ? (['f16'] as const) : []),
      ...definition.enables,
      ...(pinned ? (['subgroup_size_control'] as const) : []),
    ]),
  ];
}

/** The element type that `constants` choose for the declared type `name`. */
function elementType(
  definition: KernelDefinition,
  name: string,
  constants: Readonly<Record<string, unknown>>,
): ElementChoice {
  const choices = definition.types.find((type) => type.name === name)?.choices ?? [];
  const chosen = constants[name] ?? choices[0];
  const found = choices.find((choice) => choice === chosen);
  if (found) return found;
  throw new TypeError(
    `Kernel '${definition.name}' expected ${choices.join(' or ')} for type ${name} but received ${String(chosen)}`,
  );
}

/** The scalar that a binding holds, chosen types resolved: `f32`, `f16`, `u32` … */
export function bindingScalar(
  definition: KernelDefinition,
  binding: KernelDefinition['bindings'][number],
  constants: Readonly<Record<string, unknown>>,
): string {
  const scalar = /(\w+)>*$/.exec(binding.type)?.[1] ?? binding.type;
  return definition.types.some(({ name }) => name === scalar)
    ? elementType(definition, scalar, constants)
    : scalar;
}

/** The value of constant `name` that `constants` leads to, default included. */
export function kernelConstant(name: KernelName, constant: string, constants: object = {}): number {
  const given = (constants as Record<string, unknown>)[constant];
  const value = given ?? catalogue[name].constants.find((entry) => entry.name === constant)?.value;
  if (typeof value !== 'number')
    throw new TypeError(`Kernel '${name}' has no numeric constant '${constant}'`);
  return value;
}

/** Bytes of the uniform that holds `Params`: 4 a field, rounded up to 16; 0 without `Params`. */
export function paramsSizeBytes(definition: KernelDefinition): number {
  return Math.ceil((definition.params.length * 4) / 16) * 16;
}

/** Packs `values` as the WGSL struct `Params` lays them out. */
export function packParams(
  definition: KernelDefinition,
  values: Readonly<Record<string, number>>,
): Uint8Array {
  const bytes = new Uint8Array(paramsSizeBytes(definition));
  const view = new DataView(bytes.buffer);
  definition.params.forEach(({ name, type }, index) => {
    const value = values[name];
    if (value === undefined || !Number.isFinite(Math.fround(value))) {
      throw new TypeError(
        `Kernel '${definition.name}' expected a number for params.${name} but received ${value}`,
      );
    }
    if (type === 'f32') view.setFloat32(index * 4, value, true);
    else if (type === 'i32')
      view.setInt32(index * 4, checkInteger(definition.name, name, value, -(2 ** 31), 2 ** 31), true);
    else view.setUint32(index * 4, checkInteger(definition.name, name, value, 0, 2 ** 32), true);
  });
  return bytes;
}

function checkInteger(kernel: string, name: string, value: number, from: number, below: number): number {
  if (!Number.isInteger(value) || value < from || value >= below) {
    throw new RangeError(
      `Kernel '${kernel}' expected an integer in [${from}, ${below}) for params.${name} but received ${value}`,
    );
  }
  return value;
}

function formatConstant(kernel: string, name: string, type: string, value: unknown): string {
  if (type === 'bool' && typeof value === 'boolean') return String(value);
  if (type === 'f32' && typeof value === 'number')
    return Number.isInteger(value) ? `${value}.0` : String(value);
  if ((type === 'u32' || type === 'i32') && Number.isInteger(value))
    return type === 'u32' ? `${value}u` : `${value}`;
  throw new TypeError(
    `Kernel '${kernel}' expected a ${type} for constant ${name} but received ${String(value)}`,
  );
}
