// y = x in half precision: the copies of weights that mixed precision multiplies with.
//
// Shapes    x, y [elements].
// Writes    overwrites y.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    elements is a multiple of 4. What exceeds 65504 becomes infinite.
// Precision rounded to a neighbouring f16, to the nearest on the devices that we know.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f16

struct Params {
  elements: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  for (var i = id.x; i < params.elements / 4u; i += workgroups.x * WORKGROUP_SIZE) {
    y[i] = vec4<Element>(x[i]);
  }
}
