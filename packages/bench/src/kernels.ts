/**
 * Benchmark of single ops, each checked first, beside what the device can do at most.
 *
 *   node packages/bench/dist/kernels.js [--device lavapipe] [--only matmul] [--runs 7]
 *   node packages/bench/dist/kernels.js --attention workgroup     attention alone, by one strategy whatever the device:
 *                                                                 or portable, subgroup, subgroup_matrix
 *   node packages/bench/dist/kernels.js --matmul subgroup_matrix  products alone, likewise: or workgroup, subgroup, registers
 *
 * For every op of `kernel-cases.ts`: a sample of its results against double precision, then warm-up and repeats with
 * device timestamps (wall clock where there are none). Prints GFLOP/s, GB/s and their shares of the ceilings of the same
 * run; writes `packages/bench/results/<device>/kernels.json`. What fails is told and left out, in `failed`.
 */
import { parseArgs } from 'node:util';
import { openExecutor } from '@synglot/gpu/node';
import { checkNumbers, tellMistakes } from './arguments.js';
import { measureCeilings } from './ceilings.js';
import { type FailedPart, unlessItFails } from './failures.js';
import { measureCase } from './kernel-bench.js';
import { kernelCases } from './kernel-cases.js';
import { environment, writeResult } from './results.js';
import { checkStrategies, matmulSuffix, traitsBy } from './strategies.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    executor: { type: 'string' },
    only: { type: 'string' },
    attention: { type: 'string' },
    matmul: { type: 'string' },
    runs: { type: 'string', default: '7' },
  },
});
checkNumbers(values, ['runs']);
checkStrategies(values);
const { attention: attentionStrategy } = values;
const attentionForward = `attention_forward${attentionStrategy === 'portable' ? '' : `_${attentionStrategy}`}`;
const only = values.only ?? (attentionStrategy ? 'attention' : values.matmul ? 'matmul' : '');
const executor = await openExecutor({
  ...(values.device ? { device: values.device } : {}),
  ...(values.executor ? { executor: values.executor as 'native' | 'webgpu' } : {}),
});
const { device } = executor;
const traits = traitsBy(device, values);
const half = device.features.includes('shader-f16');
const cases = kernelCases(device.type === 'cpu', half).filter(({ name }) => name.includes(only));
if (cases.length === 0) {
  const names = kernelCases(true, true).map(({ name }) => name);
  console.error(`no op's name has '${only}' in it; there are ${names.join(', ')}`);
  process.exit(2);
}
const failed: FailedPart[] = [];
const ceilings = await measureCeilings(executor, failed);
console.log(
  `${device.name}: copy ${ceilings.copy_gb_per_second.toFixed(1)} GB/s, multiply-add ${ceilings.fma_f32_gflops_per_second.toFixed(1)} GFLOP/s in f32${ceilings.fma_f16_gflops_per_second === null ? '' : `, ${ceilings.fma_f16_gflops_per_second.toFixed(1)} in f16`}${ceilings.matrix.map(({ component, result, M, N, K, gflops_per_second: g }) => `, ${g.toFixed(1)} by ${M}×${N}×${K} matrices ${component}→${result}`).join('')}`,
);
const matrixCeiling = Math.max(0, ...ceilings.matrix.map(({ gflops_per_second }) => gflops_per_second));
const rows = [];
for (const each of cases) {
  const row = await unlessItFails(failed, each.name, () =>
    measureCase(executor, each, Number(values.runs), traits),
  );
  if (!row) continue;
  const asked = [
    ...(attentionStrategy ? [attentionForward] : []),
    ...(values.matmul && row.product ? [`matmul_${row.product.kind}${matmulSuffix(values.matmul)}`] : []),
  ];
  if (!asked.every((kernel) => row.kernels.some((label) => label === kernel))) {
    console.log(`${row.name.padEnd(42)} has no kernel by ${attentionStrategy ?? values.matmul} here`);
    continue;
  }
  rows.push({
    ...row,
    share_of_multiply_add: row.gflops_per_second / ceilings.fma_f32_gflops_per_second,
    share_of_copy: row.gb_per_second / ceilings.copy_gb_per_second,
    ...(row.kernels.some((kernel) => kernel.includes('_subgroup_matrix'))
      ? { share_of_matrix_units: row.gflops_per_second / matrixCeiling }
      : {}),
  });
  const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
  const last = rows.at(-1)!;
  console.log(
    `${row.name.padEnd(42)} ${(row.seconds.median * 1e3).toFixed(3).padStart(10)} ms ${row.gflops_per_second.toFixed(1).padStart(8)} GFLOP/s (${percent(last.share_of_multiply_add).padStart(3)}) ${row.gb_per_second.toFixed(1).padStart(7)} GB/s (${percent(last.share_of_copy).padStart(3)})  ${row.kernels.join(', ')}`,
  );
}
const name = ['kernels', only, attentionStrategy, values.matmul]
  .filter(Boolean)
  .join('-')
  .replaceAll(' ', '-');
const path = writeResult(device, name, {
  benchmark: 'single ops; shares are of the ceilings measured in the same run',
  ceilings,
  ops: rows,
  ...(failed.length > 0 ? { failed } : {}),
  device: {
    name: device.name,
    driver: device.driver,
    subgroups: device.subgroups,
    features: device.features,
  },
  executor: executor.kind,
  ...environment(),
});
console.log(`wrote ${path}`);
executor.destroy();
