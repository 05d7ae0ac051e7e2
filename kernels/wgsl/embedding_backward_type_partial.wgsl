// Gradient of one row of the token-type table, summed over one block of tokens.
//
// Shapes    d_y [tokens, columns]; tokens [tokens] of (id, position, type, slot);
//           partial [blocks, columns], blocks = ceil(tokens / ROWS_PER_BLOCK).
// Writes    overwrites the live blocks; partial_sum_accumulate adds them up.
// Dispatch  one invocation per four columns of one block: ceil(columns / 4 / WORKGROUP_SIZE) × blocks.
// Limits    columns is a multiple of 4.
// Precision f32; at most ROWS_PER_BLOCK terms per partial sum.
//@ const WORKGROUP_SIZE: u32 = 32
//@ const ROWS_PER_BLOCK: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  tokens: u32,
  tokens_count: u32,
  columns: u32,
  token_type: u32,
}

@group(0) @binding(0) var<storage, read> d_y: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = live_count(params.tokens_count, params.tokens);
  let width = params.columns / 4u;
  let first = id.y * ROWS_PER_BLOCK;
  if (id.x >= width || first >= count) {
    return;
  }
  var total = vec4<f32>(0.0);
  for (var token = first; token < min(count, first + ROWS_PER_BLOCK); token++) {
    if (tokens[token].z == params.token_type) {
      total += vec4<f32>(d_y[token * width + id.x]);
    }
  }
  partial[id.y * width + id.x] = total;
}
