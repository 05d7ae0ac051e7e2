// inverse_norms[s] = 1 / ‖x of sequence s‖, over all tokens and columns of the sequence; 0 where the norm is 0, or so
// small (about 1e-19) that its square has lost its digits.
//
// Shapes    x [tokens, columns]; slots [all slots] of (first, end) token; inverse_norms [all slots].
// Writes    overwrites inverse_norms; a slot without tokens gets 0.
// Dispatch  one workgroup per slot (x).
// Limits    columns is a multiple of 4.
// Precision f32 arithmetic, x stored as Element; each lane's elements in order, then a tree.
//@ type Element: f32 | f16
//@ include workgroup_reduce

struct Params {
  columns: u32,
}

// The least number with all its digits. Devices may take a smaller one for 0, or its inverse for infinite.
const LEAST_NORMAL: f32 = 1.17549435e-38;

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> slots: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> inverse_norms: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

alias Total = f32;
fn combine(a: Total, b: Total) -> Total {
  return a + b;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let width = params.columns / 4u;
  let bounds = slots[group.x];
  var squares = vec4<f32>(0.0);
  for (var i = bounds.x * width + lane; i < bounds.y * width; i += LANES) {
    let value = vec4<f32>(x[i]);
    squares += value * value;
  }
  let sum = reduce_lanes(dot(squares, vec4<f32>(1.0)), lane, lane, 1u);
  if (lane == 0u) {
    inverse_norms[group.x] = select(0.0, inverseSqrt(sum), sum >= LEAST_NORMAL);
  }
}
