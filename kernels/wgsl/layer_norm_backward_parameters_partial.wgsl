// Gradients of layer norm's gamma and beta, summed over one block of rows.
//
// Shapes    d_y, sum [rows, columns]; statistics [rows] of (mean, 1 / standard deviation);
//           partial_gamma, partial_beta [blocks, columns], blocks = ceil(rows / ROWS_PER_BLOCK).
// Writes    overwrites the live blocks; partial_sum_accumulate adds them up.
// Dispatch  one invocation per four columns of one block: ceil(columns / 4 / WORKGROUP_SIZE) × blocks.
// Limits    columns is a multiple of 4.
// Precision f32; at most ROWS_PER_BLOCK terms per partial sum.
//@ const WORKGROUP_SIZE: u32 = 32
//@ const ROWS_PER_BLOCK: u32 = 64
//@ type Element: f32 | f16
//@ include step

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = live_count(params.rows_count, params.rows);
  let width = params.columns / 4u;
  let column = id.x;
  let first = id.y * ROWS_PER_BLOCK;
  if (column >= width || first >= rows) {
    return;
  }
  var d_gamma = vec4<f32>(0.0);
  var d_beta = vec4<f32>(0.0);
  for (var row = first; row < min(rows, first + ROWS_PER_BLOCK); row++) {
    let gradient = vec4<f32>(d_y[row * width + column]);
    let centred = vec4<f32>(sum[row * width + column]) - statistics[row].x;
    d_gamma += gradient * centred * statistics[row].y;
    d_beta += gradient;
  }
  partial_gamma[id.y * width + column] = d_gamma;
  partial_beta[id.y * width + column] = d_beta;
}
