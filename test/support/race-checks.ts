/**
 * Finds data races of kernels, on any device: every access to workgroup and storage memory is recorded, and two
 * accesses to one element, at least one of them a write, must be ordered by a barrier or belong to one invocation.
 *
 * ```ts
 * const checked = withRaceChecks(await openTestExecutor());
 * await runKernel(checked, 'matmul_nt_workgroup', …); // throws if any two invocations raced
 * ```
 *
 * A software device runs the invocations of a workgroup one small subgroup after another, which hides a missing
 * barrier whenever that order happens to be the right one; a GPU does not. What is found here does not depend on
 * the order: each access leaves its mark in a shadow of the memory, then looks for the marks of others. Accesses
 * beyond an array's end are found too, which a device otherwise moves into it, and reads of workgroup memory that
 * nobody has written, which Dawn otherwise makes zeros.
 *
 * Only what a run does is seen, not what it could have done. In workgroup memory a barrier orders what comes before
 * and after it. In storage memory nothing orders two invocations of a dispatch (no kernel has a storageBarrier), and
 * dispatches follow one another. Marks are compared by element of the array as it is declared: two writes of
 * different components of one vector race, as in WGSL. Atomics are not checked. Modules with subgroup matrices
 * are emulated first (`emulated-matrices.ts`). Slow, and says nothing about speed.
 *
 * Source: the happens-before check of race detectors for kernels (GKLEE, Oclgrind), simplified: barriers are all
 * the synchronisation that the kernels have.
 */
import type { Executor, Plan, PlanCommand, PlanKernel } from '@synglot/gpu';
import { closingBracket } from './closing-bracket.js';
import { overExecutor } from './over-executor.js';

/** Words of the report before the marks; a clear begins at multiples of 4 bytes, a copy too. */
const reportWords = 8;
const marksName = 'marks of accesses';
const shadowBytes = 8 * 2 ** 20;
const kinds = [
  'wrote what another invocation wrote',
  'wrote what another invocation reads',
  'read what another invocation wrote',
  'went beyond the end of',
  'has no room left for marks of',
  'read what nobody wrote in',
];

/** `executor`, whose runs throw when two invocations raced. Not for plans that are to be timed. */
export function withRaceChecks(executor: Executor): Executor {
  return overExecutor(executor, {
    compile: async (plan, externals) => {
      const traced = plan.kernels.map((kernel, index) => traceKernel(kernel, index));
      const marks = executor.createBuffer(marksName, shadowBytes);
      const compiled = await executor.compile(
        tracedPlan(plan, traced),
        new Map([...(externals ?? []), [marksName, marks]]),
      );
      return {
        plan,
        run: async (options) => {
          executor.write(marks, new Uint32Array(reportWords));
          const result = await compiled.run(options);
          const found = new Uint32Array(await executor.read(marks, 0, reportWords * 4));
          if (found[0]) throw new Error(describe(found, traced));
          return result;
        },
        destroy: () => {
          compiled.destroy();
          marks.destroy();
        },
      };
    },
  });
}

interface TracedKernel {
  readonly kernel: PlanKernel;
  /** In the order of their numbers in a report. */
  readonly arrays: readonly TracedArray[];
}

interface TracedArray {
  readonly name: string;
  readonly space: 'workgroup' | 'storage';
  /** An expression of how many elements it has. */
  readonly length: string;
  readonly written: boolean;
}

/** The plan with the marks bound last in every dispatch, and cleared before it. */
function tracedPlan(plan: Plan, traced: readonly TracedKernel[]): Plan {
  const marks = plan.buffers.length;
  const clear: PlanCommand = {
    kind: 'clear',
    buffer: marks,
    offsetBytes: reportWords * 4,
    sizeBytes: shadowBytes - reportWords * 4,
  };
  return {
    ...plan,
    kernels: traced.map(({ kernel }) => kernel),
    buffers: [...plan.buffers, { name: marksName, sizeBytes: shadowBytes, role: 'external' }],
    commands: plan.commands.flatMap((command): PlanCommand[] =>
      command.kind === 'dispatch' ? [clear, { ...command, buffers: [...command.buffers, marks] }] : [command],
    ),
  };
}

function describe(found: Uint32Array, traced: readonly TracedKernel[]): string {
  const [, kind, kernel, array, element, own, other] = found as unknown as number[];
  const { kernel: { label } = { label: '?' }, arrays = [] } = traced[kernel as number] ?? {};
  const { name, space } = arrays[array as number] ?? {};
  return `${label}: invocation ${own} ${kinds[(kind as number) - 1]} ${space} array ${name}, element ${element}${
    (kind as number) <= 3 ? `, invocation ${other}, with no barrier between` : ''
  } (${found[0]} such accesses in the run)`;
}

/** A module that records what `kernel` accesses; `index` names it in reports. */
function traceKernel(kernel: PlanKernel, index: number): TracedKernel {
  const code = kernel.code.replace(/\/\/.*$/gm, '');
  const arrays: TracedArray[] = [
    ...[...code.matchAll(/\bvar<workgroup>\s*(\w+)\s*:\s*array<(?:[^<>]|<[^<>]*>)*?,([^<>,]*?),?\s*>;/g)].map(
      ([, name, length]): TracedArray => ({
        name: name as string,
        space: 'workgroup',
        length: `u32(${length})`,
        written: true,
      }),
    ),
    ...[...code.matchAll(/\bvar<storage,\s*(\w+)>\s*(\w+)\s*:\s*array</g)].map(
      ([, access, name]): TracedArray => ({
        name: name as string,
        space: 'storage',
        length: `arrayLength(&${name})`,
        written: access === 'read_write',
      }),
    ),
  ];
  const declared = [...code.matchAll(/\bvar<(?:workgroup|storage)[^>]*>\s*(\w+)\s*:\s*(\w+)/g)];
  const untraced = declared.filter(
    ([, name, type]) => type !== 'atomic' && !arrays.some((array) => array.name === name),
  );
  if (untraced.length)
    throw new Error(`${kernel.label}: '${untraced[0]?.[1]}' is no array that can be traced`);
  let text = traceAccesses(code, kernel.label, arrays);
  text = text.replace(/\bworkgroupBarrier\(\)\s*;/g, 'workgroupBarrier(); traced_epoch += 1u;');
  // Always true, which no compiler knows: it keeps them from unrolling, which takes some of them a minute.
  text = text.replace(/\bfor \(([^;]*);([^;]*);/g, 'for ($1;($2) && arrayLength(&traced_marks) > 0u;');
  if (/\b(storageBarrier|workgroupUniformLoad|subgroupBarrier)\b/.test(text))
    throw new Error(`${kernel.label}: a kind of barrier that is not traced`);
  return {
    kernel: {
      ...kernel,
      code: [withPlaces(text), prologue(kernel.access.length, index, arrays)].join('\n'),
      access: [...kernel.access, 'read_write'],
    },
    arrays,
  };
}

/** `name[i]` becomes `name[traced_read(number, i)]`, `traced_write` or both, for every array. */
function traceAccesses(code: string, label: string, arrays: readonly TracedArray[]): string {
  const numbers = new Map(arrays.map(({ name }, number) => [name, number]));
  const names = [...numbers.keys()].join('|');
  if (!names) return code;
  // Functions follow one another in a module, so each ends where the next one begins.
  for (const body of code.split(/(?=\bfn\s)/)) {
    const own = new RegExp(`\\b(?:let|var|fn)\\s+(${names})\\b|[(,]\\s*(${names})\\s*:`).exec(body);
    const name = own?.[1] ?? own?.[2];
    if (name && new RegExp(`\\b${name}\\[`).test(body))
      throw new Error(`${label}: '${name}' names an array and something else in one function`);
  }
  const taken = new RegExp(`&(${names})\\b`).exec(code.replace(/\barrayLength\(\s*&\w+\s*\)/g, ''));
  if (taken) throw new Error(`${label}: accesses through a pointer to '${taken[1]}' are not traced`);
  const trace = (text: string): string => {
    const access = new RegExp(`\\b(${names})\\[`).exec(text);
    if (!access) return text;
    const begin = access.index + access[0].length;
    const end = closingBracket(text, begin, '[]');
    const rest = text.slice(end + 1);
    const [, operator] = /^(?:\.\w+|\[[^\]]*\])*\s*([-+*/|&^%]?=)(?!=)/.exec(rest) ?? [];
    const mode = operator === undefined ? 'read' : operator === '=' ? 'write' : 'update';
    const index = `traced_${mode}_${access[1]}(u32(${trace(text.slice(begin, end))}))`;
    return `${text.slice(0, begin)}${index}]${trace(rest)}`;
  };
  return trace(code);
}

/** Makes `main` tell the functions of the prologue which invocation it is. */
function withPlaces(code: string): string {
  const main = /fn main\(([^{]*?)\)\s*\{/.exec(code);
  if (!main) throw new Error('a module without main');
  let parameters = (main[1] as string).trim().replace(/,$/, '');
  const place = (builtin: string, type: string): string => {
    const given = new RegExp(`@builtin\\(${builtin}\\)\\s*(\\w+)`).exec(parameters)?.[1];
    if (given) return given;
    parameters = `${parameters}${parameters && ', '}@builtin(${builtin}) traced_${builtin}: ${type}`;
    return `traced_${builtin}`;
  };
  const group = place('workgroup_id', 'vec3<u32>');
  const groups = place('num_workgroups', 'vec3<u32>');
  const own = place('local_invocation_index', 'u32');
  const size = /@workgroup_size\(([^)]*)\)/
    .exec(code)?.[1]
    ?.split(',')
    .filter((factor) => factor.trim());
  return [
    code.slice(0, main.index),
    `fn main(${parameters}) {
  traced_group = ${group}.x + ${groups}.x * (${group}.y + ${groups}.y * ${group}.z);
  traced_groups = ${groups}.x * ${groups}.y * ${groups}.z;
  traced_local = ${own};
  traced_global = traced_group * ${size?.map((factor) => `u32(${factor})`).join(' * ')} + ${own};`,
    code.slice(main.index + main[0].length),
  ].join('');
}

/**
 * Three words of marks an element: who wrote last, and the first and last of those who read. In workgroup memory
 * a mark holds the barriers that its invocation had passed, above 16 bits that name it.
 */
function prologue(binding: number, kernel: number, arrays: readonly TracedArray[]): string {
  const shared = arrays.filter(({ space }) => space === 'workgroup');
  const stored = arrays.filter(({ space, written }) => space === 'storage' && written);
  const sum = (terms: readonly TracedArray[]) => terms.map(({ length }) => length).join(' + ') || '0u';
  const functions = arrays.map((array, number) => {
    if (!array.written) {
      return `
fn traced_read_${array.name}(index: u32) -> u32 {
  if (index >= ${array.length}) { traced_report(4u, ${number}u, index, 0u); }
  return index;
}`;
    }
    const mates = array.space === 'workgroup' ? shared : stored;
    const before = sum(mates.slice(0, mates.indexOf(array)));
    const [cell, mask] =
      array.space === 'workgroup'
        ? [`traced_group * (${sum(shared)}) + ${before}`, '0xffff0000u']
        : [`traced_groups * (${sum(shared)}) + ${before}`, '0u'];
    const own =
      array.space === 'workgroup' ? '((traced_epoch << 16u) | (traced_local + 1u))' : '(traced_global + 1u)';
    const reversed =
      array.space === 'workgroup' ? '((traced_epoch << 16u) | (0xffffu - traced_local))' : '(~traced_global)';
    return `
fn traced_place_${array.name}(index: u32) -> u32 {
  if (index >= ${array.length}) { traced_report(4u, ${number}u, index, 0u); return 0u; }
  let place = ${reportWords}u + 3u * (${cell} + index);
  if (place + 2u >= arrayLength(&traced_marks)) { traced_report(5u, ${number}u, index, 0u); return 0u; }
  return place;
}
fn traced_read_${array.name}(index: u32) -> u32 {
  let place = traced_place_${array.name}(index);
  if (place == 0u) { return index; }
  atomicMax(&traced_marks[place + 1u], ${own});
  atomicMax(&traced_marks[place + 2u], ${reversed});
  let writer = atomicLoad(&traced_marks[place]);
  ${array.space === 'workgroup' ? `if (writer == 0u) { traced_report(6u, ${number}u, index, 0u); }` : ''}
  if (writer != 0u && writer != ${own} && (writer & ${mask}) == (${own} & ${mask})) {
    traced_report(3u, ${number}u, index, (writer & ~${mask}) - 1u);
  }
  return index;
}
fn traced_write_${array.name}(index: u32) -> u32 {
  let place = traced_place_${array.name}(index);
  if (place == 0u) { return index; }
  let writer = atomicExchange(&traced_marks[place], ${own});
  if (writer != 0u && writer != ${own} && (writer & ${mask}) == (${own} & ${mask})) {
    traced_report(1u, ${number}u, index, (writer & ~${mask}) - 1u);
  }
  let last = atomicLoad(&traced_marks[place + 1u]);
  if (last != 0u && last != ${own} && (last & ${mask}) == (${own} & ${mask})) {
    traced_report(2u, ${number}u, index, (last & ~${mask}) - 1u);
  }
  let first = atomicLoad(&traced_marks[place + 2u]);
  if (first != 0u && first != ${reversed} && (first & ${mask}) == (${reversed} & ${mask})) {
    traced_report(2u, ${number}u, index, ~${mask} - (first & ~${mask}));
  }
  return index;
}
fn traced_update_${array.name}(index: u32) -> u32 {
  return traced_write_${array.name}(traced_read_${array.name}(index));
}`;
  });
  return `
@group(0) @binding(${binding}) var<storage, read_write> traced_marks: array<atomic<u32>>;
var<private> traced_group: u32;
var<private> traced_groups: u32;
var<private> traced_local: u32;
var<private> traced_global: u32;
var<private> traced_epoch: u32 = 1u;

fn traced_report(kind: u32, array: u32, element: u32, other: u32) {
  if (atomicAdd(&traced_marks[0], 1u) != 0u) { return; }
  atomicStore(&traced_marks[1], kind);
  atomicStore(&traced_marks[2], ${kernel}u);
  atomicStore(&traced_marks[3], array);
  atomicStore(&traced_marks[4], element);
  atomicStore(&traced_marks[5], traced_global);
  atomicStore(&traced_marks[6], other);
}
${functions.join('\n')}`;
}
