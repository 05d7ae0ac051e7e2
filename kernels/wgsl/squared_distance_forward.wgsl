// loss[row] = factor · row_weights[row] · ‖x[row] - reference[row]‖²: how far rows are from given ones.
//
// Shapes    x, reference [rows, columns]; row_weights, loss [rows].
// Writes    overwrites loss.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched; a row of weight 0 has
//           loss 0 whatever its reference holds.
// Precision f32.
//@ const WORKGROUP_SIZE: u32 = 64
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
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let weight = row_weights[id.x];
  if (weight == 0.0) {
    loss[id.x] = 0.0;
    return;
  }
  let width = params.columns / 4u;
  let base = id.x * width;
  var squares = vec4<f32>(0.0);
  for (var i = base; i < base + width; i++) {
    let difference = x[i] - reference[i];
    squares += difference * difference;
  }
  loss[id.x] = params.factor * weight * dot(squares, vec4<f32>(1.0));
}
