// One AdamW update of a range of parameters: one tensor, or neighbours in a slab.
//
// Shapes    gradient, parameter, first_moment, second_moment [elements]; clip of (norm, factor,
//           overflow).
// Writes    updates parameter and both moments in place, or nothing after an overflow; leaves the gradient.
// Dispatch  four elements an invocation and stride; any number of workgroups (x).
// Limits    elements is a multiple of 4.
// Precision f32; the bias corrections come from the host in double precision.
// Source    Loshchilov & Hutter 2019, in torch.optim.AdamW's order of operations.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  elements: u32,
  beta_1: f32,
  beta_2: f32,
  epsilon: f32,
  weight_decay: f32,
  learning_rate_scale: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first_moment: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second_moment: array<vec4<f32>>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  if (clip[2] != 0.0) {
    return;
  }
  let factor = clip[1];
  let learning_rate = step.learning_rate * params.learning_rate_scale;
  let decay = 1.0 - learning_rate * params.weight_decay;
  let step_size = learning_rate / step.bias_correction_1;
  for (var i = id.x; i < params.elements / 4u; i += workgroups.x * WORKGROUP_SIZE) {
    let g = gradient[i] * factor;
    let m = first_moment[i] + (g - first_moment[i]) * (1.0 - params.beta_1);
    let v = second_moment[i] * params.beta_2 + g * g * (1.0 - params.beta_2);
    let denominator = sqrt(v) / step.bias_correction_2_sqrt + params.epsilon;
    first_moment[i] = m;
    second_moment[i] = v;
    parameter[i] = parameter[i] * decay - step_size * (m / denominator);
  }
}
