// y = layer_norm(residual + dropout(x)) · gamma + beta, over the last axis.
//
// Shapes    x, residual, sum, y [rows, columns]; gamma, beta [columns]; statistics [rows] of
//           (mean, 1 / standard deviation).
// Writes    overwrites sum (the normalised layer's input) and statistics, both kept for backward,
//           and y.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32 arithmetic and statistics, matrices stored as Element; two passes over the row: mean first, then the
//           centred second moment (biased).
// Source    Ba, Kiros & Hinton 2016; residual order of the post-norm Transformer (BERT).
//@ const WORKGROUP_SIZE: u32 = 64
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
//@ include step
//@ include dropout

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let width = params.columns / 4u;
  let base = row * width;
  let key = dropout_key(step.seed, params.dropout_site, step.begins.x + row);

  var total = vec4<f32>(0.0);
  for (var column = 0u; column < width; column++) {
    var value = vec4<f32>(x[base + column]);
    if (HAS_DROPOUT) {
      value *= dropout_factor4(key, column, params.dropout_threshold, params.dropout_keep_scale);
    }
    value += vec4<f32>(residual[base + column]);
    sum[base + column] = vec4<Element>(value);
    total += value;
  }
  let mean = dot(total, vec4<f32>(1.0)) / f32(params.columns);

  var squares = vec4<f32>(0.0);
  for (var column = 0u; column < width; column++) {
    let centred = vec4<f32>(sum[base + column]) - mean;
    squares += centred * centred;
  }
  let variance = dot(squares, vec4<f32>(1.0)) / f32(params.columns);
  let inverse_deviation = inverseSqrt(variance + params.epsilon);
  statistics[row] = vec2<f32>(mean, inverse_deviation);

  for (var column = 0u; column < width; column++) {
    let normalized = (vec4<f32>(sum[base + column]) - mean) * inverse_deviation;
    y[base + column] = vec4<Element>(normalized * gamma[column] + beta[column]);
  }
}
