/**
 * The kernels compiled for real GPUs, by Mesa's drivers for AMD and NVIDIA and without such a GPU: `synglot bench code`.
 * Nothing runs. Where there is no such driver (RADV, up to Mesa 25; NVK of Mesa 26) the test is skipped with a line, and
 * REQUIRE_RADV=1 or REQUIRE_NVK=1 makes that a failure.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceInfo, PlanKernel } from '@synglot/gpu';
import {
  catalogue,
  type ElementChoice,
  type KernelDefinition,
  kernelCode,
  paramsSizeBytes,
} from '@synglot/kernels';
import {
  type AttentionPass,
  attentionCandidates,
  type KernelChoice,
  type MatmulProduct,
  matmulCandidates,
} from '@synglot/nn';
import { afterAll, describe, expect, test } from 'vitest';
import { command } from '../support/cli.js';

/** Of a result of `synglot bench code`, what is looked at here. */
interface Result {
  readonly steps: Readonly<Record<string, readonly Code[]>>;
  readonly device: Pick<DeviceInfo, 'name' | 'driver' | 'subgroups' | 'features' | 'limits'> & {
    readonly subgroup_matrix_configs: DeviceInfo['subgroupMatrixConfigs'];
  };
}
interface Code {
  readonly kernel: string;
  readonly constants: string;
  readonly registers: number;
  readonly spilled_registers: number;
  readonly scratch_bytes: number;
  readonly waves_per_simd?: number;
  readonly warps_per_multiprocessor?: number;
  readonly matrix_instructions: number;
  readonly memory_instructions: number;
  readonly estimated_cycles: number;
  readonly estimated_cycles_unclamped: number;
}

const folder = mkdtempSync(join(tmpdir(), 'synglot-gpu-code-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// What vitest sets is not for the command: it must resolve dist.
const { NODE_OPTIONS: _options, VITEST: _vitest, ...env } = process.env;
const options = { env: { XDG_RUNTIME_DIR: folder, ...env }, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;

/** `synglot bench code` for a family of GPUs, or why there is none. */
function compilerOf(family: string, required: string) {
  const bench = (...args: string[]) => [command, 'bench', 'code', '--json', '--family', family, ...args];
  const compile = (...args: string[]): Result =>
    JSON.parse(execFileSync(process.execPath, bench(...args), options));
  const assemblyOf = (kernel: string, precision: string) => {
    const asked = ['--kernel', kernel, '--precision', precision, '--assembly'];
    const all = bench(...asked).filter((each) => each !== '--json');
    return execFileSync(process.execPath, all, options);
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, bench(), options);
  if (status === 0) {
    const result = JSON.parse(stdout) as Result;
    return { title: `${result.device.name}, ${result.device.driver}`, compile, assemblyOf, result };
  }
  const reason = stderr?.trim().split('\n').at(-1) ?? '';
  if (status !== 2 || !/_icd\.json|does not open|without hardware|no C\+\+20 compiler/.test(reason)) {
    throw new Error(`synglot bench code --family ${family}: exit ${status}\n${stderr}`);
  }
  const line = `kernels are not compiled for ${family}: ${reason}`;
  if (process.env[required] === '1') throw new Error(line);
  console.warn(line);
  return { title: family, compile, assemblyOf, result: undefined };
}

const compilers = [
  { ...compilerOf('navi31', 'REQUIRE_RADV'), fallbacks: [] },
  // One invocation has four rows of a head, and NVK's checks of what it loads: for devices that no tile fits.
  { ...compilerOf('gh100', 'REQUIRE_NVK'), fallbacks: ['attention_backward_key_value'] },
];

/**
 * Of AMD's blocks with a loop of a product in them: how many loads from buffers each has, and how many are still under way
 * when a quarter of the products are done (`vmcnt(2)` waits until 2 are).
 */
function productLoops(assembly: string): { loads: number; underWay: number }[] {
  const isProduct = /^\s+v_(?:wmma|(?:dual_)?fma)/;
  return assembly.split(/^(?=BB\d+:)/m).flatMap((block) => {
    const lines = block.split('\n');
    const products = lines.flatMap((line, index) => (isProduct.test(line) ? [index] : []));
    const loop = products.length >= 8 && lines.some((line) => /s_barrier/.test(line));
    if (!loop) return [];
    let underWay = 0;
    for (const line of lines.slice(0, products[products.length >> 2])) {
      if (/^\s+buffer_load/.test(line)) underWay++;
      const [, most] = /s_waitcnt.*vmcnt\((\d+)\)/.exec(line) ?? [];
      underWay = Math.min(underWay, Number(most ?? underWay));
    }
    return [{ loads: lines.filter((line) => /^\s+buffer_load/.test(line)).length, underWay }];
  });
}

/** The constants that AMD's code gives the registers of sums on matrix units before the first product, and how many have one. */
function firstSums(assembly: string): { constants: string[]; given: number; sums: number } {
  const results = [...assembly.matchAll(/^\s+v_wmma_\S+ v\[(\d+):(\d+)\]/gm)];
  const sums = new Set(
    results.flatMap(([, first, last]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `v${Number(first) + index}`),
    ),
  );
  const moves = [...assembly.slice(0, results[0]?.index).matchAll(/v_(?:dual_)?mov_b32\S* (v\d+), (\w+)/g)];
  const given = new Map(moves.filter(([, to = '']) => sums.has(to)).map(([, to, value]) => [to, value]));
  return { constants: [...new Set(given.values())] as string[], given: given.size, sums: sums.size };
}

/** Kernels whose values have no place in the registers: each goes to memory and back. */
const inMemory = (code: readonly Code[]) =>
  code
    .filter(({ spilled_registers, scratch_bytes }) => spilled_registers > 0 || scratch_bytes > 0)
    .map(({ kernel, constants }) => `${kernel} ${constants}`);

for (const { title, compile, assemblyOf, result, fallbacks } of compilers) {
  describe.skipIf(!result)(title, () => {
    const { steps = {}, device } = result ?? {};

    test.each(['f32', 'mixed'])('all kernels of a training step in %s keep to the registers', (step) => {
      const code = steps[step] ?? [];
      expect(code.length).toBeGreaterThan(30);
      expect(inMemory(code)).toEqual([]);
      for (const each of code) {
        expect(each.registers, each.kernel).toBeGreaterThan(0);
        expect(each.waves_per_simd ?? each.warps_per_multiprocessor, each.kernel).toBeGreaterThan(0);
        expect(each.estimated_cycles, each.kernel).toBeGreaterThan(0);
        expect(each.memory_instructions, each.kernel).toBeGreaterThan(0);
        expect(each.matrix_instructions > 0, each.kernel).toBe(each.kernel.endsWith('_subgroup_matrix'));
      }
    });

    test('the second compilation is one without bounds on indices', () => {
      const product = steps.f32?.find(({ kernel }) => kernel === 'matmul_nn_workgroup') as Code;
      expect(product.estimated_cycles_unclamped).toBeLessThanOrEqual(product.estimated_cycles);
    });

    test.skipIf(device?.driver?.startsWith('radv') === false).each([
      ['f32', ...['nt_bias', 'nn', 'tn'].map((each) => `matmul_${each}_workgroup`)],
      ['mixed', ...['nt_bias', 'nn', 'tn'].map((each) => `matmul_${each}_subgroup_matrix`)],
    ])('products in %s multiply while they wait for what comes next', (precision, ...kernels) => {
      for (const kernel of kernels) {
        const loops = productLoops(assemblyOf(kernel, precision));
        expect(loops.length, kernel).toBeGreaterThan(0);
        for (const { loads, underWay } of loops) {
          expect(loads, kernel).toBeGreaterThan(1);
          expect(underWay, kernel).toBe(loads);
        }
      }
    });

    test.skipIf(device?.driver?.startsWith('radv') === false)('sums on matrix units begin with zeros', () => {
      for (const kernel of ['nt_bias', 'nn', 'tn'].map((each) => `matmul_${each}_subgroup_matrix`)) {
        const [, ...codes] = assemblyOf(kernel, 'mixed').split(/^(?=BB0:)/m);
        for (const code of codes) {
          const { constants, given, sums } = firstSums(code);
          expect(constants, kernel).toEqual(['0']);
          expect(given, kernel).toBe(sums);
        }
      }
    });

    test('attention on matrix units keeps to the registers', () => {
      const code = compile('--attention', 'subgroup_matrix', '--precision', 'mixed').steps.mixed ?? [];
      expect(code.map(({ kernel }) => kernel)).toEqual([
        'attention_forward_subgroup_matrix',
        'attention_backward_query_subgroup_matrix',
        'attention_backward_key_value_subgroup_matrix',
      ]);
      expect(inMemory(code)).toEqual([]);
    });

    test('every kernel of the catalogue is compiled, in every element type, and all but fallbacks keep to the registers', () => {
      const kernels = Object.values(catalogue).flatMap(allOf);
      expect(new Set(kernels.map(({ label }) => label))).toEqual(new Set(Object.keys(catalogue)));
      const code = compileKernels(kernels);
      expect(code.map(({ kernel }) => kernel)).toEqual(kernels.map(({ label }) => label));
      expect(new Set(inMemory(code).map((each) => each.split(' ')[0]))).toEqual(new Set(fallbacks));
    });

    test('the check finds a kernel that does not keep to the registers', () => {
      const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        var all: array<f32, 2048>;
        for (var i = 0u; i < 2048u; i++) { all[u32(x[i]) % 2048u] += x[i + id.x]; }
        x[id.x] = all[u32(x[id.x]) % 2048u];
      }`;
      const kernel = { label: 'wasteful', code, access: ['read_write'] as const, paramsSizeBytes: 0 };
      expect(inMemory(compileKernels([{ ...kernel, usesStep: false }]))).toEqual(['wasteful ']);
    });

    function compileKernels(kernels: readonly PlanKernel[]): readonly Code[] {
      const file = join(folder, 'kernels.json');
      writeFileSync(file, JSON.stringify(kernels));
      return Object.values(compile('--kernels', file).steps).flat();
    }

    /** A kernel with its own constants, in each element type; those of matrix units with what the device has. */
    function allOf(definition: KernelDefinition): PlanKernel[] {
      const choices = new Set<ElementChoice>(definition.types.flatMap((type) => type.choices));
      const elements = choices.size > 0 ? [...choices] : ['f32' as const];
      return elements.flatMap((element) => {
        const units = definition.name.endsWith('_subgroup_matrix');
        const constants = units ? matrixConstants(definition.name, element) : {};
        if (!constants) return [];
        const stored = definition.types.filter(({ name }) => !(name in constants));
        const types = stored.map((type) => [
          type.name,
          type.choices.includes(element) ? element : type.choices[0],
        ]);
        const chosen = { ...constants, ...Object.fromEntries(types) };
        return {
          label: definition.name,
          code: kernelCode(definition, chosen),
          access: definition.bindings.map(({ access }) => access),
          paramsSizeBytes: paramsSizeBytes(definition),
          usesStep: definition.usesStep,
        };
      });
    }

    function matrixConstants(kernel: string, element: ElementChoice): KernelChoice['constants'] | undefined {
      const { subgroup_matrix_configs: subgroupMatrixConfigs, ...rest } = device as Result['device'];
      const traits = { ...rest, type: 'discrete-gpu' as const, subgroupMatrixConfigs };
      const op = kernel.replace(/_subgroup_matrix$/, '');
      const axis = { capacity: 4096, slot: 'all' } as const;
      const candidates = op.startsWith('attention')
        ? attentionCandidates(traits, { pass: op as AttentionPass, headVectors: 16, element })
        : matmulCandidates(traits, {
            product: op as MatmulProduct,
            m: axis,
            n: axis,
            k: axis,
            element,
            output: element,
          });
      return candidates.find((choice) => choice.kernel === kernel)?.constants;
    }
  });
}
