// layer_norm_backward_parameters_partial with a block's rows shared by the lanes of a workgroup: gradients of
// layer norm's gamma and beta, summed over one block of rows.
//
// Shapes    d_y, sum [rows, columns]; statistics [rows] of (mean, 1 / standard deviation);
//           partial_gamma, partial_beta [blocks, columns], blocks = ceil(rows / ROWS_PER_BLOCK).
// Writes    overwrites the live blocks; partial_sum_accumulate adds them up.
// Dispatch  4 · SUMS columns of one block per workgroup: ceil(columns / 4 / SUMS) × blocks.
// Limits    columns is a multiple of 4.
// Precision f32; each lane's rows in order, then a tree; at most ROWS_PER_BLOCK terms per partial sum.
//@ const ROWS_PER_BLOCK: u32 = 64
//@ type Element: f32 | f16
//@ include step
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> d_y: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> sum: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> partial_gamma: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partial_beta: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

struct Total {
  gamma: vec4<f32>,
  beta: vec4<f32>,
}
fn combine(a: Total, b: Total) -> Total {
  return Total(a.gamma + b.gamma, a.beta + b.beta);
}

@compute @workgroup_size(SUMS, LANES)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
) {
  let rows = live_count(params.rows_count, params.rows);
  let width = params.columns / 4u;
  let column = workgroup.x * SUMS + local.x;
  let first = workgroup.y * ROWS_PER_BLOCK;
  if (first >= rows) {
    return;
  }
  var own = Total(vec4<f32>(0.0), vec4<f32>(0.0));
  let end = select(0u, min(rows, first + ROWS_PER_BLOCK), column < width);
  for (var row = first + local.y; row < end; row += LANES) {
    let gradient = vec4<f32>(d_y[row * width + column]);
    let centred = vec4<f32>(sum[row * width + column]) - statistics[row].x;
    own.gamma += gradient * centred * statistics[row].y;
    own.beta += gradient;
  }
  let total = reduce_lanes(own, local.y, index, SUMS);
  if (local.y == 0u && column < width) {
    partial_gamma[workgroup.y * width + column] = total.gamma;
    partial_beta[workgroup.y * width + column] = total.beta;
  }
}
