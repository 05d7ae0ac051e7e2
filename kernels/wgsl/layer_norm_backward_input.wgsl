// Gradient of layer norm with respect to its input (the `sum` that forward saved).
//
// With g = d_y · gamma and n the normalised input: d_sum = (g - mean(g) - n · mean(g · n)) / deviation.
//
// Shapes    d_y, sum, d_sum [rows, columns]; gamma [columns]; statistics [rows] of
//           (mean, 1 / standard deviation).
// Writes    overwrites d_sum. The residual's gradient is d_sum; x's is d_sum under the dropout mask.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32 arithmetic, matrices stored as Element.
// Source    derivative of Ba, Kiros & Hinton 2016.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let width = params.columns / 4u;
  let base = row * width;
  let mean = statistics[row].x;
  let inverse_deviation = statistics[row].y;

  var gradient_total = vec4<f32>(0.0);
  var projection_total = vec4<f32>(0.0);
  for (var column = 0u; column < width; column++) {
    let gradient = vec4<f32>(d_y[base + column]) * gamma[column];
    gradient_total += gradient;
    projection_total += gradient * (vec4<f32>(sum[base + column]) - mean);
  }
  let scale = 1.0 / f32(params.columns);
  let gradient_mean = dot(gradient_total, vec4<f32>(1.0)) * scale;
  let projection_mean = dot(projection_total, vec4<f32>(1.0)) * inverse_deviation * scale;

  for (var column = 0u; column < width; column++) {
    let normalized = (vec4<f32>(sum[base + column]) - mean) * inverse_deviation;
    let gradient = vec4<f32>(d_y[base + column]) * gamma[column];
    let change = gradient - gradient_mean - normalized * projection_mean;
    d_sum[base + column] = vec4<Element>(change * inverse_deviation);
  }
}
