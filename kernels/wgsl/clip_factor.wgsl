// The factor that every gradient is multiplied by, from the partial sums of squares.
//
// factor = scale · min(1, maximum_norm / (scale · norm + 1e-6)), scale being the step's gradient
// scale (1 / accumulation steps). The optimiser reads it on the device; nothing is read back.
//
// Shapes    partials [partials]; clip of (scaled norm, factor).
// Writes    overwrites clip.
// Dispatch  one workgroup.
// Limits    maximum_norm 0 means no clipping.
// Precision f32; same order every run.
// Source    torch.nn.utils.clip_grad_norm_.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  partials: u32,
  maximum_norm: f32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> clip: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

var<workgroup> totals: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  for (var i = lane; i < params.partials; i += WORKGROUP_SIZE) {
    total += partials[i];
  }
  totals[lane] = total;
  workgroupBarrier();
  if (lane == 0u) {
    var squares = 0.0;
    for (var i = 0u; i < WORKGROUP_SIZE; i++) {
      squares += totals[i];
    }
    let norm = sqrt(squares) * step.gradient_scale;
    var factor = 1.0;
    if (params.maximum_norm > 0.0) {
      factor = min(1.0, params.maximum_norm / (norm + 1e-6));
    }
    clip[0] = norm;
    clip[1] = factor * step.gradient_scale;
  }
}
