// y = -strength[0] · x, or added to y: a gradient whose sign is reversed on its way to the encoder.
//
// Shapes    x, y [rows, columns]; strength [≥ 1], fed each step.
// Writes    overwrites y, or accumulates into it (+=) if ACCUMULATE.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32.
// Source    gradient reversal layer, Ganin et al. 2016 (arXiv 1505.07818), equation 15.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const ACCUMULATE: bool = false
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> strength: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let factor = -strength[0];
  let count = live_count(params.rows_count, params.rows) * (params.columns / 4u);
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    y[i] = factor * x[i] + select(vec4<f32>(0.0), y[i], ACCUMULATE);
  }
}
