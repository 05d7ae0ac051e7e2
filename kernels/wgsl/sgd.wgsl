// One step of plain gradient descent on a range of parameters: one tensor, or neighbours in a slab.
//
// Shapes    gradient, parameter [elements]; clip of (norm, factor, overflow).
// Writes    updates parameter in place, or nothing after an overflow.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    elements is a multiple of 4.
// Source    torch.optim.SGD without momentum, weight decay added to the gradient.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  elements: u32,
  weight_decay: f32,
  learning_rate_scale: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  if (clip[2] != 0.0) {
    return;
  }
  let learning_rate = step.learning_rate * params.learning_rate_scale;
  for (var i = id.x; i < params.elements / 4u; i += workgroups.x * WORKGROUP_SIZE) {
    let g = gradient[i] * clip[1] + parameter[i] * params.weight_decay;
    parameter[i] -= learning_rate * g;
  }
}
