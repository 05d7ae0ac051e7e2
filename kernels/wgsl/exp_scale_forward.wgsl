// y = x · exp(log_scale[0]): rows scaled by a learned factor, the inverse of a temperature.
//
// Shapes    x, y [rows, columns]; log_scale [≥ 1], of which the first element counts.
// Writes    overwrites y.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32.
// Source    logit_scale of CLIP (Radford et al. 2021, section 2.5).
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> log_scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let scale = exp(log_scale[0]);
  let count = live_count(params.rows_count, params.rows) * (params.columns / 4u);
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    y[i] = x[i] * scale;
  }
}
