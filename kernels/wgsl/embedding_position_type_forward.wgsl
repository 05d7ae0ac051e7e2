// y = position table row + token-type table row of each token: what is added to the word embedding.
//
// Shapes    positions [max positions, columns]; types [type vocabulary, columns];
//           tokens [tokens] of (id, position, type, slot); y [tokens, columns].
// Writes    overwrites y.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4; the host has checked positions and types.
// Precision the tables are f32, y is stored as Element.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  tokens: u32,
  tokens_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> types: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.tokens_count, params.tokens) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let token = tokens[i / width];
    let column = i % width;
    y[i] = vec4<Element>(positions[token.y * width + column] + types[token.z * width + column]);
  }
}
