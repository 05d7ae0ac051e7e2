// normalize_forward with a row shared by the lanes of a workgroup: y = x / max(‖x‖, 1e-12), row by row.
//
// Shapes    x, y [rows, columns]; inverse_norms [rows].
// Writes    overwrites y and inverse_norms, which backward needs.
// Dispatch  one workgroup per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32; each lane's vectors in order, then a tree.
// Source    torch.nn.functional.normalize, p = 2.
//@ include step
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> inverse_norms: array<f32>;
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
    var squares = vec4<f32>(0.0);
    for (var column = lane; column < width; column += LANES) {
      squares += x[base + column] * x[base + column];
    }
    let total = reduce_lanes(dot(squares, vec4<f32>(1.0)), lane, lane, 1u);
    let inverse_norm = 1.0 / max(sqrt(total), 1e-12);
    for (var column = lane; column < width; column += LANES) {
      y[base + column] = x[base + column] * inverse_norm;
    }
    if (lane == 0u) {
      inverse_norms[row] = inverse_norm;
    }
  }
}
