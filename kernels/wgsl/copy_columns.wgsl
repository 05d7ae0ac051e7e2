// y[row, 0 … columns) = x[row, 0 … columns), or added to y: the first columns of rows of different widths.
//
// Cuts embeddings to a smaller dimension, and brings the gradients of the cut back.
//
// Shapes    x [rows, x_stride]; y [rows, y_stride].
// Writes    overwrites the first columns of y, or accumulates into them (+=) if ACCUMULATE.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns, x_stride, y_stride are multiples of 4. Other columns, and rows beyond the live count,
//           are not touched.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const ACCUMULATE: bool = false
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  x_stride: u32,
  y_stride: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.rows_count, params.rows) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let row = i / width;
    let column = i - row * width;
    let place = row * (params.y_stride / 4u) + column;
    y[place] = x[row * (params.x_stride / 4u) + column] + select(vec4<f32>(0.0), y[place], ACCUMULATE);
  }
}
