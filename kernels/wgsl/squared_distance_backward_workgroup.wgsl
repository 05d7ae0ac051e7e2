// squared_distance_backward with a row shared by the lanes of a workgroup:
// d_x[row] = loss_scale · 2 · factor · row_weights[row] · (x[row] - reference[row]).
//
// Shapes    x, reference, d_x [rows, columns]; row_weights [rows].
// Writes    overwrites d_x, or accumulates into it (+=) if ACCUMULATE.
// Dispatch  one workgroup per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched; a row of weight 0 has
//           gradient 0 whatever its reference holds.
// Precision f32.
//@ const LANES: u32 = 64
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

@compute @workgroup_size(LANES)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let rows = live_count(params.rows_count, params.rows);
  let width = params.columns / 4u;
  for (var row = workgroup.x; row < rows; row += workgroups.x) {
    let base = row * width;
    let weight = row_weights[row];
    let scale = step.loss_scale * 2.0 * params.factor * weight;
    for (var i = base + lane; i < base + width; i += LANES) {
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
}
