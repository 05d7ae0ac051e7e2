// d_x = d_y · σ(x) (1 + x (1 - σ(x))): gradient of swish.
//
// Shapes    x, d_y, d_x [rows, columns]; x is forward's input.
// Writes    overwrites d_x.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32 arithmetic, stored as Element.
// Source    derivative of Ramachandran et al. 2017; 1 - σ(x) is σ(-x), without cancellation.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> d_x: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let count = live_count(params.rows_count, params.rows) * (params.columns / 4u);
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let value = vec4<f32>(x[i]);
    let small = exp(-abs(value));
    let sigmoid = select(small, vec4<f32>(1.0), value >= vec4<f32>(0.0)) / (1.0 + small);
    let opposite = select(vec4<f32>(1.0), small, value >= vec4<f32>(0.0)) / (1.0 + small);
    d_x[i] = vec4<Element>(vec4<f32>(d_y[i]) * sigmoid * (1.0 + value * opposite));
  }
}
