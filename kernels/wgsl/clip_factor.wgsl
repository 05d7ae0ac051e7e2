// The factor that every gradient is multiplied by, from the partial sums of squares.
//
// factor = scale · min(1, maximum_norm / (scale · norm + 1e-6)), scale being the step's gradient
// scale (1 / (accumulation steps · loss scale)). If a gradient is infinite or NaN, that is an
// overflow, and the optimiser leaves everything as it is. The optimiser reads the factor on the device.
//
// Shapes    partials [partials], negative where sum_of_squares_partial saw an overflow;
//           clip of (scaled norm, factor, 1 when there was an overflow): (0, 0, 1) then.
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
@group(0) @binding(16) var<uniform> params: Params;

const LARGEST: f32 = 3.0e38;

var<workgroup> totals: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  var overflow = false;
  for (var i = lane; i < params.partials; i += WORKGROUP_SIZE) {
    total += partials[i];
    overflow |= partials[i] < 0.0;
  }
  totals[lane] = select(total, -1.0, overflow);
  workgroupBarrier();
  if (lane == 0u) {
    var squares = 0.0;
    for (var i = 0u; i < WORKGROUP_SIZE; i++) {
      squares += totals[i];
      overflow |= totals[i] < 0.0;
    }
    // The sum itself may overflow. Its bits do not tell: a compiler that assumes that there are no infinities drops
    // such a test of a computed value (LLVM does). A comparison with a number remains.
    if (overflow || !(squares <= LARGEST)) {
      clip[0] = 0.0;
      clip[1] = 0.0;
      clip[2] = 1.0;
      return;
    }
    let norm = sqrt(squares) * step.gradient_scale;
    var factor = 1.0;
    if (params.maximum_norm > 0.0) {
      factor = min(1.0, params.maximum_norm / (norm + 1e-6));
    }
    clip[0] = norm;
    clip[1] = factor * step.gradient_scale;
    clip[2] = 0.0;
  }
}
