// y = tanh(x): the activation of LaBSE's dense layer.
//
// Shapes    x, y [rows, columns].
// Writes    overwrites y, which backward needs.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32 arithmetic, stored as Element. Not by tanh(), which WGSL lets be off by 1e-5, since some are
//           (gpuweb issue 5206: NVIDIA's under Direct3D), and which overflows on some drivers.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

fn far_tanh(x: vec4<f32>) -> vec4<f32> {
  let small = exp(-2.0 * abs(x));
  return sign(x) * (1.0 - small) / (1.0 + small);
}

// The Taylor series, where the difference above would cancel; the first term left out is below 1e-8 of x.
fn near_tanh(x: vec4<f32>) -> vec4<f32> {
  let square = x * x;
  return x * (1.0 + square * (-1.0 / 3.0 + square * (2.0 / 15.0 + square * (-17.0 / 315.0 + square * (62.0 / 2835.0)))));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let count = live_count(params.rows_count, params.rows) * (params.columns / 4u);
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let value = vec4<f32>(x[i]);
    y[i] = vec4<Element>(select(far_tanh(value), near_tanh(value), abs(value) < vec4<f32>(0.25)));
  }
}
