/**
 * Subgroup matrices in plain WGSL, so that kernels on matrix units run, in any shape of the units and with any
 * size of subgroups, on devices that have neither. This checks a kernel's index arithmetic and nothing else:
 * it is no device, says nothing about one, and its speed means nothing.
 *
 * ```ts
 * const emulated = withEmulatedMatrices(await openTestExecutor(), {
 *   subgroups: { minSize: 32, maxSize: 32 },
 *   configs: [{ component: 'f32', result: 'f32', M: 16, N: 16, K: 16 }],
 * });
 * await runKernel(emulated, 'matmul_nt_subgroup_matrix', …); // or a plan whose traits are `emulated.device`
 * ```
 *
 * The result is an executor like any other; whatever plan it compiles has its modules rewritten. Limits remain
 * those of the device beneath, and so does f16: where that lacks it, let matrices and storage be f32.
 * `emulateMatrices` rewrites one module.
 *
 * What is emulated is WGSL's: a subgroup is `size` consecutive invocations of the workgroup; matrices are
 * `<T, Columns, Rows>`; loads and stores go element by element by offset, stride and majorness; sums are of
 * the result's type. Each invocation holds some elements of a result, and of left and right the rows and columns
 * that those need, as they were when they were loaded. A load beyond an array's end gives NaN (units return other
 * elements).
 *
 * A module may have one type each of left, right and result, and names what it loads from and stores to as
 * `&variable`, or `&variable[i]` of an array of arrays; anything else of subgroups is refused. `race-checks.ts` finds
 * missing barriers.
 */
import type { Executor, SubgroupMatrixConfig } from '@synglot/gpu';
import { flattenNestedArrays } from './nested-arrays.js';
import { overExecutor } from './over-executor.js';

export interface EmulatedSubgroups {
  readonly minSize: number;
  readonly maxSize: number;
  /** The size of a kernel that does not ask for one; `maxSize` unless given. */
  readonly chosenSize?: number;
}

export interface EmulatedUnits {
  readonly subgroups: EmulatedSubgroups;
  readonly configs: readonly SubgroupMatrixConfig[];
}

/** `executor` as if its device had these matrix units: every module that a plan brings is rewritten. */
export function withEmulatedMatrices(executor: Executor, { subgroups, configs }: EmulatedUnits): Executor {
  const granted = ['chromium-experimental-subgroup-matrix', 'subgroup-size-control', 'subgroups'];
  return overExecutor(executor, {
    device: {
      features: [...new Set([...executor.device.features, ...granted])].sort(),
      subgroups: { minSize: subgroups.minSize, maxSize: subgroups.maxSize },
      subgroupMatrixConfigs: configs,
    },
    compile: (plan, externals) => {
      const kernels = plan.kernels.map((kernel) => ({
        ...kernel,
        code: emulateMatrices(kernel.code, subgroups),
      }));
      return executor.compile({ ...plan, kernels }, externals);
    },
  });
}

type Kind = 'left' | 'right' | 'result';

/** A module without subgroups that computes what `code` does on such subgroups; as it is where it has none. */
export function emulateMatrices(code: string, subgroups: EmulatedSubgroups): string {
  if (!/\bsubgroup/.test(withoutComments(code))) return code;
  const size = subgroupSize(code, subgroups);
  let text = flattenNestedArrays(withoutComments(code))
    .replace(/\benable\s+(subgroups|subgroup_size_control|chromium_experimental_subgroup_matrix)\s*;/g, '')
    .replace(/@subgroup_size\([^)]*\)/g, '');
  const types = new Map<Kind, string>();
  text = text.replace(/\bsubgroup_matrix_(left|right|result)<([^<>]*)>/g, (_, kind: Kind, given: string) => {
    const type = given.split(',').map((part) => part.trim());
    const known = types.get(kind) ?? type.join(', ');
    if (type.length !== 3 || known !== type.join(', '))
      throw new Error(`expected one type of ${kind} matrices but received <${known}> and <${given}>`);
    types.set(kind, known);
    return `Emulated_${kind}`;
  });
  for (const kind of ['left', 'right', 'result'] as const) {
    if (!types.has(kind)) throw new Error(`a module without ${kind} matrices is not emulated`);
  }
  const accesses = new Map<string, string>();
  text = text
    .replace(
      /\bsubgroupMatrixLoad<\s*(\w+)\s*,\s*(row_major|col_major)\s*>\(\s*&(\w+)\s*,/g,
      (_, type: string, major: string, array: string) => {
        const kind = kindOf(type, text);
        const name = `emulated_load_${kind}_${major}_${array}`;
        accesses.set(name, loadFunction(name, kind, major, array, lengthOf(array, text)));
        return `${name}(`;
      },
    )
    .replace(
      /\bsubgroupMatrixStore<\s*(row_major|col_major)\s*>\(\s*&(\w+)\s*,/g,
      (_, major: string, array: string) => {
        const name = `emulated_store_${major}_${array}`;
        accesses.set(name, storeFunction(name, major, array));
        return `${name}(`;
      },
    )
    .replace(/\bsubgroupMatrixMultiplyAccumulate\(/g, 'emulated_multiply_accumulate(')
    .replace(/\bEmulated_result\((?=[^)])/g, 'emulated_result_of(');
  text = withEmulatedBuiltins(text, subgroups.maxSize);
  const left = /\b(subgroup[A-Z_]\w*|quad[A-Z]\w*)\b/.exec(text)?.[1];
  if (left) throw new Error(`${left} is not emulated as it is used here`);
  return [text, preamble(size, types), ...accesses.values()].join('\n');
}

function withoutComments(code: string): string {
  return code.replace(/\/\/.*$/gm, '');
}

/** What `@subgroup_size` asks for, which the device must have, else what the device chooses. */
function subgroupSize(code: string, { minSize, maxSize, chosenSize = maxSize }: EmulatedSubgroups): number {
  const asked = /@subgroup_size\(\s*(\w+)\s*\)/.exec(withoutComments(code))?.[1];
  if (asked === undefined) return chosenSize;
  if (!/\benable\s+subgroup_size_control\s*;/.test(code))
    throw new Error('@subgroup_size without enable subgroup_size_control');
  const value = new RegExp(`const ${asked}: u32 = (\\d+)u;`).exec(code)?.[1] ?? asked;
  const size = Number.parseInt(value, 10);
  if (size >= minSize && size <= maxSize && Number.isInteger(Math.log2(size))) return size;
  throw new Error(`subgroups of ${value}: expected a power of two from ${minSize} to ${maxSize}`);
}

/** `Left` is an alias of a type that has been replaced already, or its name. */
function kindOf(type: string, text: string): Kind {
  const name = new RegExp(`\\balias ${type} = (\\w+);`).exec(text)?.[1] ?? type;
  const kind = /^Emulated_(left|right|result)$/.exec(name)?.[1];
  if (!kind) throw new Error(`${type} is no type of matrices`);
  return kind as Kind;
}

/** Elements of the module's variable `array`. */
function lengthOf(array: string, text: string): string {
  const count = new RegExp(`\\bvar<workgroup> ${array}\\s*:\\s*array<\\w+,([^;]*)>;`).exec(text)?.[1];
  return count === undefined ? `arrayLength(&${array})` : `(${count})`;
}

/** Builtins of subgroups, from the index of the invocation. */
function withEmulatedBuiltins(text: string, maxSize: number): string {
  const main = /@workgroup_size\(([^)]*)\)([^;{]*?)fn main\(([^{]*?)\)\s*\{/.exec(text);
  if (!main) throw new Error('a module without main');
  const [head, workgroup, between, given] = main as unknown as [string, string, string, string];
  const parameters = [...given.matchAll(/@builtin\((\w+)\)\s*(\w+)\s*:\s*([\w<>]+)/g)].map(
    ([, builtin, name, type]) => ({ builtin: builtin as string, name: name as string, type: type as string }),
  );
  const index = parameters.find(({ builtin }) => builtin === 'local_invocation_index')?.name;
  const values: Readonly<Record<string, string>> = {
    subgroup_id: 'emulated_index / EMULATED_SIZE',
    subgroup_invocation_id: 'emulated_index % EMULATED_SIZE',
    subgroup_size: 'EMULATED_SIZE',
    num_subgroups: '(EMULATED_INVOCATIONS + EMULATED_SIZE - 1u) / EMULATED_SIZE',
  };
  const kept = parameters
    .filter(({ builtin }) => !values[builtin])
    .map(({ builtin, name, type }) => `@builtin(${builtin}) ${name}: ${type}`);
  if (!index) kept.push('@builtin(local_invocation_index) emulated_index: u32');
  const lines = [
    ...(index ? [`let emulated_index = ${index};`] : []),
    'emulated_lane = emulated_index % EMULATED_SIZE;',
    'emulated_zero = emulated_index >> 16u;',
    ...parameters.flatMap(({ builtin, name }) =>
      values[builtin] ? [`let ${name} = ${values[builtin]};`] : [],
    ),
  ];
  const factors = workgroup
    .split(',')
    .filter((factor) => factor.trim())
    .map((factor) => `u32(${factor})`);
  return [
    text.slice(0, main.index),
    `@workgroup_size(${workgroup})${between}fn main(${kept.join(', ')}) {\n${lines.join('\n')}`,
    text.slice(main.index + head.length),
    `\nconst EMULATED_INVOCATIONS = ${factors.join(' * ')};`,
    // As Dawn has it, whatever size a kernel asks for.
    `\nconst_assert ${factors[0]} % ${maxSize}u == 0u;`,
  ].join('');
}

/**
 * Element i of a result [M, N] is held by invocation i % SIZE of the subgroup, in its slot i / SIZE. A slot needs
 * a row of left and a column of right; all slots need the same column where N divides SIZE.
 *
 * `emulated_zero`, which no compiler knows to be 0, keeps them from unrolling, which takes some of them minutes.
 */
function preamble(size: number, types: ReadonlyMap<Kind, string>): string {
  const [left, right, result] = (['left', 'right', 'result'] as const).map(
    (kind) => types.get(kind)?.split(', ') ?? [],
  ) as [string[], string[], string[]];
  return `
const EMULATED_SIZE = ${size}u;
const EMULATED_M = u32(${left[2]});
const EMULATED_N = u32(${right[1]});
const EMULATED_K = u32(${left[1]});
const_assert u32(${right[2]}) == EMULATED_K;
const_assert u32(${result[1]}) == EMULATED_N;
const_assert u32(${result[2]}) == EMULATED_M;
const EMULATED_ELEMENTS = EMULATED_M * EMULATED_N;
const EMULATED_SLOTS = (EMULATED_ELEMENTS + EMULATED_SIZE - 1u) / EMULATED_SIZE;
const EMULATED_COLUMNS = select(EMULATED_SLOTS, 1u, EMULATED_SIZE % EMULATED_N == 0u);
alias Emulated_left_element = ${left[0]};
alias Emulated_right_element = ${right[0]};
alias Emulated_result_element = ${result[0]};
struct Emulated_left { e: array<Emulated_left_element, EMULATED_SLOTS * EMULATED_K> }
struct Emulated_right { e: array<Emulated_right_element, EMULATED_COLUMNS * EMULATED_K> }
struct Emulated_result { e: array<Emulated_result_element, EMULATED_SLOTS> }
var<private> emulated_lane: u32;
var<private> emulated_nan = 0x7fc0deadu;
var<private> emulated_zero: u32;

fn emulated_result_of(value: Emulated_result_element) -> Emulated_result {
  var result: Emulated_result;
  for (var slot = 0u; slot < EMULATED_SLOTS + emulated_zero; slot++) { result.e[slot] = value; }
  return result;
}

fn emulated_multiply_accumulate(left: Emulated_left, right: Emulated_right, sums: Emulated_result) -> Emulated_result {
  var result = sums;
  for (var slot = 0u; slot < EMULATED_SLOTS + emulated_zero; slot++) {
    var sum = result.e[slot];
    for (var k = 0u; k < EMULATED_K + emulated_zero; k++) {
      sum += Emulated_result_element(left.e[slot * EMULATED_K + k])
        * Emulated_result_element(right.e[(slot % EMULATED_COLUMNS) * EMULATED_K + k]);
    }
    result.e[slot] = sum;
  }
  return result;
}`;
}

/** A loop over what an invocation holds of a matrix; `body` says what is done to the one in `slot` and `k`. */
function elementLoop(kind: Kind, major: string, body: string): string {
  const slots = kind === 'right' ? 'EMULATED_COLUMNS' : 'EMULATED_SLOTS';
  const [row, column] = { left: ['row', 'k'], right: ['k', 'column'], result: ['row', 'column'] }[kind];
  return `
  for (var slot = 0u; slot < ${slots} + emulated_zero; slot++) {
    let element = slot * EMULATED_SIZE + emulated_lane;
    if (element >= EMULATED_ELEMENTS) { break; }
    let row = element / EMULATED_N;
    let column = element % EMULATED_N;
    for (var k = 0u; k < ${depthOf(kind)} + emulated_zero; k++) {
      let at = offset + ${major === 'row_major' ? `${row} * stride + ${column}` : `${column} * stride + ${row}`};
      ${body}
    }
  }`;
}

/** Elements in a slot. */
const depthOf = (kind: Kind) => (kind === 'result' ? '1u' : 'EMULATED_K');

function loadFunction(name: string, kind: Kind, major: string, array: string, length: string): string {
  const held = `matrix.e[slot * ${depthOf(kind)} + k]`;
  const nan = `Emulated_${kind}_element(bitcast<f32>(emulated_nan))`;
  const body = `if (at < ${length}) { ${held} = ${array}[at]; } else { ${held} = ${nan}; }`;
  return `
fn ${name}(offset: u32, stride: u32) -> Emulated_${kind} {
  var matrix: Emulated_${kind};${elementLoop(kind, major, body)}
  return matrix;
}`;
}

function storeFunction(name: string, major: string, array: string): string {
  return `
fn ${name}(offset: u32, matrix: Emulated_result, stride: u32) {${elementLoop('result', major, `${array}[at] = matrix.e[slot];`)}
}`;
}
