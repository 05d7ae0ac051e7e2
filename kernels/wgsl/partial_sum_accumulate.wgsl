// Adds the partial sums of all live blocks of rows to a gradient: the second stage of the gradients
// of biases, gamma, beta and token types, and of a product whose k is worked through in parts (a block is a part,
// columns all elements of c).
//
// Shapes    partial [blocks, columns], blocks = ceil(rows / rows_per_block);
//           gradient [gradient_rows, columns], of which row gradient_row is added to.
// Writes    accumulates into gradient (+=), so that micro-batches add up.
// Dispatch  one invocation per four columns; ceil(columns / 4 / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4.
// Precision f32, blocks in order: the same bits every run.
//@ const WORKGROUP_SIZE: u32 = 32
//@ include step

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let width = params.columns / 4u;
  if (id.x >= width) {
    return;
  }
  let rows = live_count(params.rows_count, params.rows);
  let blocks = (rows + params.rows_per_block - 1u) / params.rows_per_block;
  var total = vec4<f32>(0.0);
  for (var block = 0u; block < blocks; block++) {
    total += partial[block * width + id.x];
  }
  gradient[params.gradient_row * width + id.x] += total;
}
