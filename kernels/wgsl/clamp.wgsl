// x = min(max(x, minimum), maximum): keeps a parameter in its range after an update.
//
// Shapes    x [elements].
// Writes    updates x in place.
// Dispatch  one invocation per element; ceil(elements / WORKGROUP_SIZE) workgroups.
//@ const WORKGROUP_SIZE: u32 = 64

struct Params {
  elements: u32,
  minimum: f32,
  maximum: f32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.elements) {
    x[id.x] = clamp(x[id.x], params.minimum, params.maximum);
  }
}
