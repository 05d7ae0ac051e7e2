// y = x under this step's dropout mask of one site; forward and backward alike.
//
// Shapes    x, y [rows, columns].
// Writes    overwrites y.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32 arithmetic, stored as Element.
// Source    Srivastava et al. 2014, inverted; the mask is a function of (seed, site, row, column),
//           so backward draws it again and nothing is stored.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step
//@ include dropout

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  dropout_site: u32,
  dropout_threshold: u32,
  dropout_keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.rows_count, params.rows) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let key = dropout_key(step.seed, params.dropout_site, step.begins.x + i / width);
    let factor = dropout_factor4(key, i % width, params.dropout_threshold, params.dropout_keep_scale);
    y[i] = vec4<Element>(vec4<f32>(x[i]) * factor);
  }
}
