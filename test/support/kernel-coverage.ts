/** Which test file covers which kernel: the one list that test/kernels/coverage.test.ts checks. */
import type { KernelName } from '@synglot/kernels';

/** A new kernel is added here when it has a test; until then the coverage test fails. */
export const kernelTests: Readonly<Record<string, readonly KernelName[]>> = {
  'attention.test.ts': [
    'attention_forward',
    'attention_forward_subgroup',
    'attention_backward_statistics',
    'attention_backward_query',
    'attention_backward_query_subgroup',
    'attention_backward_key_value',
    'attention_backward_key_value_subgroup',
  ],
  'elementwise.test.ts': ['add', 'dropout', 'gelu_forward', 'gelu_backward', 'tanh_forward', 'tanh_backward'],
  'elementwise-adapters.test.ts': [
    'relu_forward',
    'relu_backward',
    'swish_forward',
    'swish_backward',
    'scale',
  ],
  'embedding.test.ts': [
    'embedding_gather_forward',
    'embedding_position_type_forward',
    'embedding_backward_rows',
    'embedding_backward_type_partial',
  ],
  'half.test.ts': ['cast_to_half'],
  'layer-norm.test.ts': [
    'residual_layer_norm_forward',
    'layer_norm_backward_input',
    'layer_norm_backward_parameters_partial',
  ],
  'loss.test.ts': ['info_nce_row_statistics', 'info_nce_column_statistics', 'info_nce_backward'],
  'loss-tiles.test.ts': ['copy_rows', 'info_nce_tile_statistics', 'info_nce_tile_backward'],
  'matmul.test.ts': [
    'matmul_nn',
    'matmul_nn_subgroup',
    'matmul_nt',
    'matmul_nt_bias',
    'matmul_nt_bias_subgroup',
    'matmul_nt_subgroup',
    'matmul_tn',
    'matmul_tn_subgroup',
  ],
  'optimizer.test.ts': ['adamw', 'sgd', 'sum_of_squares_partial', 'clip_factor'],
  'pooling.test.ts': [
    'pool_cls_forward',
    'pool_cls_backward',
    'pool_mean_forward',
    'pool_mean_backward',
    'normalize_forward',
    'normalize_backward',
  ],
  'reductions.test.ts': ['column_sum_partial', 'partial_sum_accumulate'],
  'search.test.ts': ['top_k_candidates'],
};
