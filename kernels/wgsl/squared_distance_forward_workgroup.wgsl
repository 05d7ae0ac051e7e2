// squared_distance_forward with a row shared by the lanes of a workgroup:
// loss[row] = factor · row_weights[row] · ‖x[row] - reference[row]‖²: how far rows are from given ones.
//
// Shapes    x, reference [rows, columns]; row_weights, loss [rows].
// Writes    overwrites loss.
// Dispatch  one workgroup per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched; a row of weight 0 has
//           loss 0 whatever its reference holds.
// Precision f32; each lane's vectors in order, then a tree.
//@ include step
//@ include workgroup_reduce

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

alias Total = f32;
fn combine(a: Total, b: Total) -> Total {
  return a + b;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let rows = live_count(params.rows_count, params.rows);
  let width = params.columns / 4u;
  for (var row = workgroup.x; row < rows; row += workgroups.x) {
    let weight = row_weights[row];
    let base = row * width;
    let end = select(base, base + width, weight != 0.0);
    var squares = vec4<f32>(0.0);
    for (var i = base + lane; i < end; i += LANES) {
      let difference = x[i] - reference[i];
      squares += difference * difference;
    }
    let total = reduce_lanes(dot(squares, vec4<f32>(1.0)), lane, lane, 1u);
    if (lane == 0u) {
      loss[row] = params.factor * weight * total;
    }
  }
}
