// exp_scale_backward_input with a row shared by the lanes of a workgroup: d_x = d_y · exp(log_scale[0]), and each
// row's share of the gradient of log_scale: d_y · y.
//
// Shapes    y, d_y, d_x [rows, columns]; log_scale [≥ 1]; products [rows].
// Writes    overwrites products; overwrites d_x, or accumulates into it (+=) if ACCUMULATE.
// Dispatch  one workgroup per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32; each lane's vectors in order, then a tree.
//@ const ACCUMULATE: bool = false
//@ include step
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> log_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_x: array<vec4<f32>>;
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
  let scale = exp(log_scale[0]);
  for (var row = workgroup.x; row < rows; row += workgroups.x) {
    let base = row * width;
    var sums = vec4<f32>(0.0);
    for (var i = base + lane; i < base + width; i += LANES) {
      sums += y[i] * d_y[i];
      d_x[i] = d_y[i] * scale + select(vec4<f32>(0.0), d_x[i], ACCUMULATE);
    }
    let product = reduce_lanes(dot(sums, vec4<f32>(1.0)), lane, lane, 1u);
    if (lane == 0u) {
      products[row] = product;
    }
  }
}
