// residual_layer_norm_forward with a row shared by the lanes of a workgroup:
// y = layer_norm(residual + dropout(x)) · gamma + beta, over the last axis.
//
// Shapes    x, residual, sum, y [rows, columns]; gamma, beta [columns]; statistics [rows] of
//           (mean, 1 / standard deviation).
// Writes    overwrites sum (the normalised layer's input) and statistics, both kept for backward,
//           and y.
// Dispatch  SUMS rows per workgroup, LANES invocations per row, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4 and at most 4 · LANES · VECTORS. Rows beyond the live count are not
//           touched.
// Precision f32 arithmetic and statistics, matrices stored as Element; the row stays in registers: mean first,
//           then the centred second moment (biased), each lane's vectors in order, then a tree.
// Source    Ba, Kiros & Hinton 2016; residual order of the post-norm Transformer (BERT).
//@ const VECTORS: u32 = 4
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
//@ include step
//@ include dropout
//@ include workgroup_reduce

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  epsilon: f32,
  dropout_site: u32,
  dropout_threshold: u32,
  dropout_keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> residual: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> gamma: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> beta: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> sum: array<vec4<Element>>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

alias Total = f32;
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
    // A row beyond the last takes part in the reductions, with no columns.
    let end = select(0u, width, row < rows);
    let key = dropout_key(step.seed, params.dropout_site, step.begins.x + row);

    var values = array<vec4<f32>, VECTORS>();
    var total = vec4<f32>(0.0);
    for (var i = 0u; i < VECTORS; i++) { //@ unroll
      let column = i * LANES + lane;
      if (column < end) {
        var value = vec4<f32>(x[base + column]);
        if (HAS_DROPOUT) {
          value *= dropout_factor4(key, column, params.dropout_threshold, params.dropout_keep_scale);
        }
        value += vec4<f32>(residual[base + column]);
        sum[base + column] = vec4<Element>(value);
        values[i] = value;
        total += value;
      }
    }
    let mean = reduce_lanes(dot(total, vec4<f32>(1.0)), lane, index, 1u) / f32(params.columns);

    var squares = vec4<f32>(0.0);
    for (var i = 0u; i < VECTORS; i++) { //@ unroll
      if (i * LANES + lane < end) {
        let centred = values[i] - mean;
        squares += centred * centred;
      }
    }
    let variance = reduce_lanes(dot(squares, vec4<f32>(1.0)), lane, index, 1u) / f32(params.columns);
    let inverse_deviation = inverseSqrt(variance + params.epsilon);
    if (lane == 0u && row < rows) {
      statistics[row] = vec2<f32>(mean, inverse_deviation);
    }

    for (var i = 0u; i < VECTORS; i++) { //@ unroll
      let column = i * LANES + lane;
      if (column < end) {
        let normalized = (values[i] - mean) * inverse_deviation;
        y[base + column] = vec4<Element>(normalized * gamma[column] + beta[column]);
      }
    }
  }
}
