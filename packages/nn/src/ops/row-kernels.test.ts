import { expect, test } from 'vitest';
import {
  blockSumKernel,
  columnStatisticsKernel,
  partialSumKernel,
  registerRowKernel,
  rowKernel,
  rowStrategy,
  squaredNormConstants,
  tableGradientKernel,
  tileStatisticsKernel,
} from './row-kernels.js';

const device = (type: 'cpu' | 'discrete-gpu') => ({ type, subgroups: { minSize: 0, maxSize: 0 } });
const [software, gpu] = [device('cpu'), device('discrete-gpu')];

test('rows are shared on everything but software devices', () => {
  const types = ['cpu', 'discrete-gpu', 'integrated-gpu', 'unknown'] as const;
  expect(types.map((type) => rowStrategy({ type }))).toEqual([
    'invocation',
    'workgroup',
    'workgroup',
    'workgroup',
  ]);
});

test('software devices keep one invocation per row or column', () => {
  expect(registerRowKernel(software, 'layer_norm_backward_input', { rows: 130, columns: 768 })).toEqual({
    kernel: 'layer_norm_backward_input',
    constants: {},
    workgroups: [3],
  });
  expect(blockSumKernel(software, 'column_sum_partial', { blocks: 5, columns: 768 })).toEqual({
    kernel: 'column_sum_partial',
    constants: {},
    workgroups: [6, 5],
  });
  expect(partialSumKernel(software, 768)).toEqual({
    kernel: 'partial_sum_accumulate',
    constants: {},
    workgroups: [6],
  });
  expect(rowKernel(software, 'normalize_forward', 130)).toEqual({
    kernel: 'normalize_forward',
    constants: {},
    workgroups: [3],
  });
  expect(columnStatisticsKernel(software, 130).workgroups).toEqual([3]);
  expect(tileStatisticsKernel(software, { tile: 130, columns: true }).workgroups).toEqual([3]);
});

test.each([
  [4, 32, 2, 1],
  [384, 32, 2, 3],
  [516, 64, 1, 3],
  [768, 64, 1, 3],
  [1024, 64, 1, 4],
  [2048, 128, 1, 4],
  [4096, 256, 1, 4],
  [5120, 256, 1, 5],
])(
  'rows of %i columns: %i lanes, %i rows a workgroup, %i vectors a lane',
  (columns, lanes, rows, vectors) => {
    const { kernel, constants, workgroups } = registerRowKernel(gpu, 'residual_layer_norm_forward', {
      rows: 8001,
      columns,
    });
    expect(kernel).toBe('residual_layer_norm_forward_workgroup');
    expect(constants).toEqual({ LANES: lanes, SUMS: rows, VECTORS: vectors });
    expect(workgroups).toEqual([Math.ceil(8001 / rows)]);
    // Every column has a place, and no lane stands idle all along.
    expect(lanes * vectors * 4).toBeGreaterThanOrEqual(columns);
    expect(lanes * (vectors - 1) * 4).toBeLessThan(columns);
  },
);

test('tables and the norm: more invocations where there are many', () => {
  const few = { distinct: { capacity: 5, slot: 'distinctWords' }, columns: 132 } as const;
  const many = { distinct: { capacity: 5000, slot: 'distinctWords' }, columns: 768 } as const;
  expect(tableGradientKernel(software, many)).toEqual({
    kernel: 'embedding_backward_rows',
    constants: {},
    workgroups: [1024],
  });
  const shared = { kernel: 'embedding_backward_rows_workgroup', constants: { LANES: 8, SUMS: 8 } };
  expect(tableGradientKernel(gpu, few)).toEqual({ ...shared, workgroups: [25] });
  expect(tableGradientKernel(gpu, many)).toEqual({ ...shared, workgroups: [65535] });
  expect([software, gpu].map(squaredNormConstants)).toEqual([{}, { WORKGROUP_SIZE: 256 }]);
});

test('never more workgroups than a dimension allows', () => {
  const { workgroups } = registerRowKernel(gpu, 'layer_norm_backward_input', { rows: 200_000, columns: 768 });
  expect(workgroups).toEqual([65535]);
  expect(rowKernel(gpu, 'normalize_forward', 200_000).workgroups).toEqual([65535]);
});

test('a workgroup for each row of the loss, or for sixteen columns', () => {
  const rows = { constants: { LANES: 64, SUMS: 1 }, workgroups: [40] };
  const columns = { constants: { LANES: 16, SUMS: 16 }, workgroups: [3] };
  const [row, column] = ['info_nce_row_statistics', 'info_nce_column_statistics'] as const;
  expect(rowKernel(gpu, row, 40)).toEqual({
    kernel: `${row}_workgroup`,
    constants: { LANES: 64 },
    workgroups: [40],
  });
  expect(columnStatisticsKernel(gpu, 40)).toEqual({ kernel: `${column}_workgroup`, ...columns });
  const tile = { kernel: 'info_nce_tile_statistics_workgroup' };
  expect(tileStatisticsKernel(gpu, { tile: 40, columns: false })).toEqual({ ...tile, ...rows });
  expect(tileStatisticsKernel(gpu, { tile: 40, columns: true })).toEqual({ ...tile, ...columns });
});

test('sums over columns: every column and every block has a workgroup', () => {
  const partial = blockSumKernel(gpu, 'layer_norm_backward_parameters_partial', { blocks: 5, columns: 132 });
  expect(partial).toEqual({
    kernel: 'layer_norm_backward_parameters_partial_workgroup',
    constants: { LANES: 8, SUMS: 32 },
    workgroups: [2, 5],
  });
  expect(partialSumKernel(gpu, 132)).toEqual({
    kernel: 'partial_sum_accumulate_workgroup',
    constants: { LANES: 16, SUMS: 16 },
    workgroups: [3],
  });
});
