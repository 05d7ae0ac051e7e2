// d_x[row] = loss_scale · 2 · factor · row_weights[row] · (x[row] - reference[row]).
//
// Shapes    x, reference, d_x [rows, columns]; row_weights [rows].
// Writes    overwrites d_x, or accumulates into it (+=) if ACCUMULATE.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched; a row of weight 0 has
//           gradient 0 whatever its reference holds.
// Precision f32.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const ACCUMULATE: bool = false
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> reference: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> row_weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let width = params.columns / 4u;
  let base = id.x * width;
  let weight = row_weights[id.x];
  let scale = step.loss_scale * 2.0 * params.factor * weight;
  for (var i = base; i < base + width; i++) {
    var gradient = vec4<f32>(0.0);
    if (weight != 0.0) {
      gradient = scale * (x[i] - reference[i]);
    }
    if (ACCUMULATE) {
      gradient += d_x[i];
    }
    d_x[i] = gradient;
  }
}
