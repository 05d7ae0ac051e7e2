// Gradient of first-token pooling: the first token gets it, the others get zero.
//
// Shapes    d_y [rows, columns], row r for slot slot_begin + r; tokens [tokens] of
//           (id, position, type, slot); bounds [tokens] of (first, end) token of the sequence;
//           d_hidden [tokens, columns].
// Writes    overwrites d_hidden for the tokens of slots [slot_begin, slot_begin + rows), leaves others.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4.
// Precision d_y is f32, d_hidden is stored as Element.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  tokens: u32,
  tokens_count: u32,
  columns: u32,
  slot_begin: u32,
  rows: u32,
}

@group(0) @binding(0) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> d_hidden: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.tokens_count, params.tokens) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let token = i / width;
    let slot = tokens[token].w;
    if (slot >= params.slot_begin && slot < params.slot_begin + params.rows) {
      let row = slot - params.slot_begin;
      d_hidden[i] = vec4<Element>(select(vec4<f32>(0.0), d_y[row * width + i % width], bounds[token].x == token));
    }
  }
}
