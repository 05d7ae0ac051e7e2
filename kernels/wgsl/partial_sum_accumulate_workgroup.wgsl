// partial_sum_accumulate with the blocks shared by the lanes of a workgroup: adds the partial sums of all live
// blocks of rows to a gradient, the second stage of the gradients of biases, gamma, beta and token types.
//
// For few columns and many blocks. Parts of a product, few and large, are added by partial_sum_accumulate.
//
// Shapes    partial [blocks, columns], blocks = ceil(rows / rows_per_block);
//           gradient [gradient_rows, columns], of which row gradient_row is added to.
// Writes    accumulates into gradient (+=), so that micro-batches add up.
// Dispatch  4 · SUMS columns per workgroup; ceil(columns / 4 / SUMS) workgroups.
// Limits    columns is a multiple of 4.
// Precision f32, each lane's blocks in order, then a tree: the same bits every run.
//@ include step
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  rows_per_block: u32,
  columns: u32,
  gradient_row: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

alias Total = vec4<f32>;
fn combine(a: Total, b: Total) -> Total {
  return a + b;
}

@compute @workgroup_size(SUMS, LANES)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
) {
  let width = params.columns / 4u;
  let column = workgroup.x * SUMS + local.x;
  let rows = live_count(params.rows_count, params.rows);
  let blocks = (rows + params.rows_per_block - 1u) / params.rows_per_block;
  var own = vec4<f32>(0.0);
  let end = select(0u, blocks, column < width);
  for (var block = local.y; block < end; block += LANES) {
    own += partial[block * width + column];
  }
  let total = reduce_lanes(own, local.y, index, SUMS);
  if (local.y == 0u && column < width) {
    gradient[params.gradient_row * width + column] += total;
  }
}
