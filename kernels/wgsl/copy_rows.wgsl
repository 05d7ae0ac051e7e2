// y[row + y begin] = x[row + x begin], or added to y: moves a part of a batch out of, or into, the whole.
//
// Shapes    x, y [any rows, columns]; x_begin and y_begin are slots of part_begin (include_step.wgsl).
// Writes    overwrites rows of y, or accumulates into them (+=) if ACCUMULATE.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows of y outside the part are not touched.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const ACCUMULATE: bool = false
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  x_begin: u32,
  y_begin: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let source = part_begin(params.x_begin) * width;
  let destination = part_begin(params.y_begin) * width;
  let count = live_count(params.rows_count, params.rows) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    y[destination + i] = x[source + i] + select(vec4<f32>(0.0), y[destination + i], ACCUMULATE);
  }
}
