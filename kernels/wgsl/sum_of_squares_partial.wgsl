// Partial sums of squares of gradients that lie side by side: the first stage of the global gradient norm.
//
// Shapes    x [elements]; partials [all partials], of which this dispatch writes
//           [first_partial, first_partial + workgroups).
// Writes    overwrites its partials, one per workgroup; -1 where an element of x is infinite or NaN.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    elements is a multiple of 4.
// Precision f32; same order every run. Infinities and NaN are recognised by their bits: WGSL lets a compiler assume that
//           there are neither infinities nor NaNs.
//@ const WORKGROUP_SIZE: u32 = 64

struct Params {
  elements: u32,
  first_partial: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

const EXPONENT = vec4<u32>(0x7f800000u);

var<workgroup> totals: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  var total = vec4<f32>(0.0);
  var overflow = false;
  let first = workgroup.x * WORKGROUP_SIZE + lane;
  for (var i = first; i < params.elements / 4u; i += workgroups.x * WORKGROUP_SIZE) {
    let bits = x[i];
    overflow |= any((bits & EXPONENT) == EXPONENT);
    let value = bitcast<vec4<f32>>(bits);
    total += value * value;
  }
  totals[lane] = select(dot(total, vec4<f32>(1.0)), -1.0, overflow);
  workgroupBarrier();
  if (lane == 0u) {
    var sum = 0.0;
    var overflow_of_any = false;
    for (var i = 0u; i < WORKGROUP_SIZE; i++) {
      sum += totals[i];
      overflow_of_any |= totals[i] < 0.0;
    }
    partials[params.first_partial + workgroup.x] = select(sum, -1.0, overflow_of_any);
  }
}
