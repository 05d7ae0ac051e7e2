// layer_norm_backward_input with a row shared by the lanes of a workgroup: gradient of layer norm with respect
// to its input (the `sum` that forward saved).
//
// With g = d_y · gamma and n the normalised input: d_sum = (g - mean(g) - n · mean(g · n)) / deviation.
//
// Shapes    d_y, sum, d_sum [rows, columns]; gamma [columns]; statistics [rows] of
//           (mean, 1 / standard deviation).
// Writes    overwrites d_sum. The residual's gradient is d_sum; x's is d_sum under the dropout mask.
// Dispatch  SUMS rows per workgroup, LANES invocations per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4 and at most 4 · LANES · VECTORS. Rows beyond the live count are not
//           touched.
// Precision f32 arithmetic, matrices stored as Element; each lane's vectors in order, then a tree.
// Source    derivative of Ba, Kiros & Hinton 2016.
//@ const VECTORS: u32 = 4
//@ type Element: f32 | f16
//@ include step
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> d_y: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> sum: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_sum: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

// Sums of a row's gradient, and of its products with the normalised row.
alias Total = vec2<f32>;
fn combine(a: Total, b: Total) -> Total {
  return a + b;
}

@compute @workgroup_size(LANES, SUMS)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let rows = live_count(params.rows_count, params.rows);
  let width = params.columns / 4u;
  let lane = local.x;
  for (var first = workgroup.x * SUMS; first < rows; first += workgroups.x * SUMS) {
    let row = first + local.y;
    let base = row * width;
    // A row beyond the last takes part in the reduction, with no columns.
    let end = select(0u, width, row < rows);
    var own = vec2<f32>(0.0);
    if (row < rows) {
      own = statistics[row];
    }

    var gradients = array<vec4<f32>, VECTORS>();
    var normalized = array<vec4<f32>, VECTORS>();
    var gradient_total = vec4<f32>(0.0);
    var projection_total = vec4<f32>(0.0);
    for (var i = 0u; i < VECTORS; i++) { //@ unroll
      let column = i * LANES + lane;
      if (column < end) {
        let gradient = vec4<f32>(d_y[base + column]) * gamma[column];
        let value = (vec4<f32>(sum[base + column]) - own.x) * own.y;
        gradients[i] = gradient;
        normalized[i] = value;
        gradient_total += gradient;
        projection_total += gradient * value;
      }
    }
    let ones = vec4<f32>(1.0);
    let sums = reduce_lanes(vec2<f32>(dot(gradient_total, ones), dot(projection_total, ones)), lane, index, 1u);
    let means = sums / f32(params.columns);

    for (var i = 0u; i < VECTORS; i++) { //@ unroll
      let column = i * LANES + lane;
      if (column < end) {
        let change = gradients[i] - means.x - normalized[i] * means.y;
        d_sum[base + column] = vec4<Element>(change * own.y);
      }
    }
  }
}
