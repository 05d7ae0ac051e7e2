// Sums of the columns of a matrix over one block of rows: the first stage of a bias gradient.
//
// Shapes    x [rows, columns]; partial [blocks, columns], blocks = ceil(rows / ROWS_PER_BLOCK).
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

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = live_count(params.rows_count, params.rows);
  let width = params.columns / 4u;
  let first = id.y * ROWS_PER_BLOCK;
  if (id.x >= width || first >= rows) {
    return;
  }
  var total = vec4<f32>(0.0);
  for (var row = first; row < min(rows, first + ROWS_PER_BLOCK); row++) {
    total += vec4<f32>(x[row * width + id.x]);
  }
  partial[id.y * width + id.x] = total;
}
