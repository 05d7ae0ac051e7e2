// normalize_backward with a row shared by the lanes of a workgroup: d_x = (d_y - y · (d_y · y)) / ‖x‖, the
// gradient of normalising rows.
//
// Shapes    y, d_y, d_x [rows, columns]; inverse_norms [rows]; y and inverse_norms from forward.
// Writes    overwrites d_x.
// Dispatch  one workgroup per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32; each lane's vectors in order, then a tree.
//@ include step
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> inverse_norms: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;
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
    let base = row * width;
    var products = vec4<f32>(0.0);
    for (var column = lane; column < width; column += LANES) {
      products += y[base + column] * d_y[base + column];
    }
    let projection = reduce_lanes(dot(products, vec4<f32>(1.0)), lane, lane, 1u);
    let inverse_norm = inverse_norms[row];
    for (var column = lane; column < width; column += LANES) {
      d_x[base + column] = (d_y[base + column] - y[base + column] * projection) * inverse_norm;
    }
  }
}
