// One AdamW update of a range of parameters: one tensor, or neighbours in a slab.
//
// Shapes    gradient, parameter, first_moment, second_moment [elements]; clip of (norm, factor,
//           overflow).
// Writes    updates parameter and both moments in place, or nothing after an overflow; leaves the gradient.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    elements is a multiple of 4.
// Precision f32; what f32 would lose (1 - beta, the bias corrections) comes from the host in double precision, or,
//           the corrections of parameters that were frozen at first, from a series good to f32: torch counts
//           each parameter's own updates.
// Source    Loshchilov & Hutter 2019, in torch.optim.AdamW's order of operations.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  elements: u32,
  beta_2: f32,
  // 1 - beta_1, 1 - beta_2.
  new_share_1: f32,
  new_share_2: f32,
  epsilon: f32,
  weight_decay: f32,
  learning_rate_scale: f32,
  // Updates of the run before these parameters were trained; 0 takes the host's bias corrections.
  updates_before: u32,
  // ln(beta_1), ln(beta_2).
  log_beta_1: f32,
  log_beta_2: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first_moment: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second_moment: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

// 1 - exp(x) for x <= 0, without the cancellation near 0.
fn one_minus_exp(x: f32) -> f32 {
  let series = -x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x / 120.0))));
  return select(1.0 - exp(x), series, x > -0.1);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  if (clip[2] != 0.0) {
    return;
  }
  let factor = clip[1];
  let learning_rate = step.learning_rate * params.learning_rate_scale;
  let decay = 1.0 - learning_rate * params.weight_decay;
  var correction_1 = step.bias_correction_1;
  var correction_2_sqrt = step.bias_correction_2_sqrt;
  if (params.updates_before > 0u) {
    let updates = f32(max(1, i32(step.optimizer_step) - i32(params.updates_before)));
    correction_1 = one_minus_exp(updates * params.log_beta_1);
    correction_2_sqrt = sqrt(one_minus_exp(updates * params.log_beta_2));
  }
  let step_size = learning_rate / correction_1;
  for (var i = id.x; i < params.elements / 4u; i += workgroups.x * WORKGROUP_SIZE) {
    let g = gradient[i] * factor;
    let m = first_moment[i] + (g - first_moment[i]) * params.new_share_1;
    let v = second_moment[i] * params.beta_2 + g * g * params.new_share_2;
    let denominator = sqrt(v) / correction_2_sqrt + params.epsilon;
    first_moment[i] = m;
    second_moment[i] = v;
    parameter[i] = parameter[i] * decay - step_size * (m / denominator);
  }
}
