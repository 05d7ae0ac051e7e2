/**
 * The kernels compiled for a real GPU, by AMD's Vulkan driver and without one: `synglot bench code`. Nothing runs. Where
 * there is no such driver (Mesa's RADV, up to Mesa 25) the test is skipped with a line, and REQUIRE_RADV=1 makes that a
 * failure.
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
  readonly waves_per_simd: number;
  readonly estimated_cycles: number;
  readonly estimated_cycles_unclamped: number;
}

const folder = mkdtempSync(join(tmpdir(), 'synglot-gpu-code-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// What vitest sets is not for the command: it must resolve dist.
const { NODE_OPTIONS: _options, VITEST: _vitest, ...env } = process.env;
const options = { env: { XDG_RUNTIME_DIR: folder, ...env }, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
const bench = (...args: string[]) => [command, 'bench', 'code', '--json', ...args];
const compile = (...args: string[]): Result =>
  JSON.parse(execFileSync(process.execPath, bench(...args), options));

const { status, stdout, stderr } = spawnSync(process.execPath, bench(), options);
const reason = stderr?.trim().split('\n').at(-1) ?? '';
const missing = status === 2 && /radeon_icd|without hardware|no C\+\+20 compiler/.test(reason);
if (missing) {
  const line = `kernels are not compiled for a GPU: ${reason}`;
  if (process.env.REQUIRE_RADV === '1') throw new Error(line);
  console.warn(line);
} else if (status !== 0) {
  throw new Error(`synglot bench code: exit ${status}\n${stderr}`);
}
const result = missing ? undefined : (JSON.parse(stdout) as Result);

/** Kernels whose values have no place in the registers: each goes to memory and back. */
const inMemory = (code: readonly Code[]) =>
  code
    .filter(({ spilled_registers, scratch_bytes }) => spilled_registers > 0 || scratch_bytes > 0)
    .map(({ kernel, constants }) => `${kernel} ${constants}`);

describe.skipIf(missing)(`${result?.device.name}, ${result?.device.driver}`, () => {
  const { steps = {}, device } = result ?? {};

  test.each(['f32', 'mixed'])('all kernels of a training step in %s keep to the registers', (step) => {
    const code = steps[step] ?? [];
    expect(code.length).toBeGreaterThan(30);
    expect(inMemory(code)).toEqual([]);
    for (const each of code) {
      expect(each.registers, each.kernel).toBeGreaterThan(0);
      expect(each.waves_per_simd, each.kernel).toBeGreaterThan(0);
      expect(each.estimated_cycles, each.kernel).toBeGreaterThan(0);
    }
  });

  test('the second compilation is one without bounds on indices', () => {
    const product = steps.f32?.find(({ kernel }) => kernel === 'matmul_nn_workgroup') as Code;
    expect(product.estimated_cycles_unclamped).toBeLessThanOrEqual(product.estimated_cycles);
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

  test('every kernel of the catalogue is compiled, in every element type', () => {
    const kernels = Object.values(catalogue).flatMap(allOf);
    expect(new Set(kernels.map(({ label }) => label))).toEqual(new Set(Object.keys(catalogue)));
    const code = compileKernels(kernels);
    expect(code.map(({ kernel }) => kernel)).toEqual(kernels.map(({ label }) => label));
    expect(inMemory(code)).toEqual([]);
  });

  test('the check sees a kernel that does not keep to the registers', () => {
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
          ...{ product: op as MatmulProduct, m: axis, n: axis, k: axis, element, output: element },
        });
    return candidates.find((choice) => choice.kernel === kernel)?.constants;
  }
});
