/**
 * What a GPU's compiler makes of the kernels of a training step, without a GPU: registers, spills, occupancy,
 * instructions. Nothing is run and nothing is timed.
 *
 *   node packages/bench/dist/code.js [--precision f32|mixed] [--shape xlm-r-base] [--pairs 128] [--lengths xquad-r|64]
 *     [--family navi31|gh100|...] [--attention subgroup_matrix] [--matmul workgroup] [--compare FILE] [--json]
 *     [--kernel NAME [--blocks] [--assembly]] [--kernels FILE]
 *
 * Both precisions unless one is named. `--attention` and `--matmul` show one family of kernels alone, whatever the device
 * would choose; `--kernels` takes kernels from a file, a JSON list of `PlanKernel`. `--compare` shows an earlier result
 * beside it. Writes `packages/bench/results/<driver>-<family>/code-<shape>.json`, unless kernels are picked or with `--json`,
 * which prints it.
 *
 * Needs a C++ compiler and Mesa's driver for the family, RADV (AMD) or NVK (NVIDIA): `gpu-families.ts`, `null-device.ts`.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { PlanKernel } from '@synglot/gpu';
import { listDevices } from '@synglot/gpu/node';
import { encoderParameters, ParameterLayout, type Precision } from '@synglot/nn';
import { ArgumentError, checkChoice, checkLengths, checkNumbers, tellMistakes } from './arguments.js';
import { blocksOf } from './assembly.js';
import { type CodeRow, codeRow, codeTable, distinguishing } from './code-rows.js';
import { families, type GpuFamily } from './gpu-families.js';
import { type NullDevice, openNullDevice } from './null-device.js';
import { environment, writeResult } from './results.js';
import { type Shape, seededBatch, shapes } from './shapes.js';
import { buildStepPlan } from './step-bench.js';
import { byStrategies, checkStrategies, traitsBy } from './strategies.js';

interface Result {
  readonly steps: Readonly<Record<string, readonly CodeRow[]>>;
}

interface Wanted {
  readonly kernel: PlanKernel;
  readonly dispatches?: number;
}

tellMistakes();
const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: 'xlm-r-base' },
    pairs: { type: 'string', default: '128' },
    lengths: { type: 'string', default: 'xquad-r' },
    precision: { type: 'string' },
    family: { type: 'string', default: 'navi31' },
    attention: { type: 'string' },
    matmul: { type: 'string' },
    kernel: { type: 'string' },
    kernels: { type: 'string' },
    compare: { type: 'string' },
    blocks: { type: 'boolean', default: false },
    assembly: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
checkNumbers(values, ['pairs']);
checkLengths(values);
checkChoice(values, 'shape', Object.keys(shapes));
checkChoice(values, 'precision', ['f32', 'mixed']);
checkChoice(values, 'family', Object.keys(families));
checkStrategies(values);
const family = families[values.family] as GpuFamily;
const earlier = values.compare === undefined ? undefined : readJson<Result>('compare', values.compare).steps;

const clamped = await openNullDevice(values.family);
const { device } = clamped;
const dawn = values.json ? undefined : (await listDevices()).find((device) => device.dawn)?.dawn;
const steps: Readonly<Record<string, readonly Wanted[]>> = values.kernels
  ? { [values.kernels]: readJson<PlanKernel[]>('kernels', values.kernels).map((kernel) => ({ kernel })) }
  : stepKernels(clamped);
const code = new Map<PlanKernel, Awaited<ReturnType<NullDevice['compile']>>>();
for (const { kernel } of Object.values(steps).flat()) code.set(kernel, await clamped.compile(kernel));
clamped.destroy();
const unclamped = await openNullDevice(values.family, ['disable_robustness']);
const rows: Record<string, CodeRow[]> = {};
for (const [step, kernels] of Object.entries(steps)) {
  const constants = distinguishing(kernels.map(({ kernel }) => kernel));
  rows[step] = [];
  for (const [index, { kernel, dispatches }] of kernels.entries()) {
    const what = { label: kernel.label, constants: constants[index]!, ...(dispatches ? { dispatches } : {}) };
    rows[step].push(codeRow(what, family, code.get(kernel)!, await unclamped.compile(kernel)));
  }
}
unclamped.destroy();

const { attention, matmul } = values;
const result = {
  benchmark: 'what the compiler of a GPU that is not there makes of the kernels; nothing was run',
  ...(values.kernels
    ? {}
    : { shape: values.shape, pairs: Number(values.pairs), lengths: values.lengths, attention, matmul }),
  steps: rows,
  device: {
    name: device.name,
    driver: device.driver,
    architecture: family.architecture,
    subgroups: device.subgroups,
    features: device.features,
    subgroup_matrix_configs: device.subgroupMatrixConfigs,
    limits: device.limits,
  },
  executor: clamped.executor,
  dawn,
  ...environment(),
};
if (values.json) console.log(JSON.stringify(result));
else print();

/** The distinct kernels of a step in each precision, by precision. */
function stepKernels({ device }: NullDevice): Record<string, Wanted[]> {
  const shape = shapes[values.shape] as Shape;
  const lengths = values.lengths === 'xquad-r' ? 'xquad-r' : Number(values.lengths);
  const batch = seededBatch(Number(values.pairs), lengths, shape.encoder.vocabularySize);
  const specs = encoderParameters(shape.encoder, shape.pooling);
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const layout = new ParameterLayout(specs, Math.min(maxStorageBufferBindingSize, maxBufferSize));
  const traits = traitsBy(device, values);
  const half = device.features.includes('shader-f16');
  const precisions = (['f32', 'mixed'] as const).filter(
    (each) => each === (values.precision ?? each) && (half || each === 'f32'),
  );
  const known = new Set<string>();
  const found = precisions.map((precision: Precision): [string, Wanted[]] => {
    const { kernels, commands } = buildStepPlan(
      { shape, batch, optimizer: 'adamw', precision },
      layout,
      traits,
    );
    const wanted = kernels.flatMap((kernel, index) => {
      known.add(kernel.label);
      const dispatches = commands.filter((each) => each.kind === 'dispatch' && each.kernel === index).length;
      return isAsked(kernel.label) ? [{ kernel, dispatches }] : [];
    });
    return [precision, wanted];
  });
  const some = found.filter(([, wanted]) => wanted.length > 0);
  if (some.length === 0) {
    const all = [...known].sort().join(', ');
    throw new ArgumentError(
      `no kernel of the step on ${device.name} is what was asked for; there are ${all}`,
    );
  }
  return Object.fromEntries(some);
}

function isAsked(label: string): boolean {
  return (values.kernel === undefined || label === values.kernel) && byStrategies(label, values);
}

/** @throws ArgumentError, in one line, where the file cannot be read */
function readJson<T>(option: string, path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (cause) {
    throw new ArgumentError(`--${option}: ${(cause as Error).message}`);
  }
}

function print(): void {
  console.log(`${device.name} (${family.architecture}), ${device.driver}: compiled, not run`);
  for (const [step, kernels] of Object.entries(steps)) {
    const before = earlier && (earlier[step] ?? []).filter((row) => isAsked(row.kernel));
    console.log(`\n${[step, ...codeTable(rows[step]!, before)].join('\n')}`);
    for (const { kernel } of kernels) {
      const { assembly = '' } = code.get(kernel) ?? {};
      if (values.blocks) console.log(`\n${[kernel.label, ...blocksOf(assembly, 16)].join('\n')}`);
      if (values.assembly) console.log(`\n${kernel.label}\n${assembly}`);
    }
  }
  if (values.kernel || values.kernels) return;
  const name = ['code', values.shape, attention && `attention-${attention}`, matmul && `matmul-${matmul}`];
  const path = writeResult(
    { id: `${family.driver}-${values.family}`, driver: device.driver },
    name.filter(Boolean).join('-'),
    result,
  );
  console.log(`\nwrote ${path}`);
}
