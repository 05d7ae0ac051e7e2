// Rows of the word table for the tokens whose id lies in one part of it.
//
// A table larger than the device's binding limit is split by rows; one dispatch per part, and each
// token is written by exactly one of them.
//
// Shapes    table [row_end - row_begin, columns]; tokens [tokens] of (id, position, type, slot);
//           y [tokens, columns].
// Writes    overwrites y for the tokens of this part, leaves the others.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4.
// Precision the table is f32, y is stored as Element.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  tokens: u32,
  tokens_count: u32,
  columns: u32,
  row_begin: u32,
  row_end: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.tokens_count, params.tokens) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let row = tokens[i / width].x;
    if (row >= params.row_begin && row < params.row_end) {
      y[i] = vec4<Element>(table[(row - params.row_begin) * width + i % width]);
    }
  }
}
