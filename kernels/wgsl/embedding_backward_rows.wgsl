// Gradient of an embedding table: each distinct row gets the sum over the tokens that used it.
//
// The host knows the ids, so it sorts them: no atomics, and the same order every run. Serves the
// word table (one dispatch for each part of a split table) and the position table.
//
// Shapes    d_y [tokens, columns]; rows [distinct] the table rows, ascending; offsets [distinct + 1]
//           into order; order [tokens] token indices sorted by row;
//           gradient [row_end - row_begin, columns].
// Writes    accumulates into gradient (+=).
// Dispatch  grid-stride loop over four columns of a distinct row each; any number of workgroups (x).
// Limits    columns is a multiple of 4.
// Precision f32, tokens in order.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  distinct: u32,
  distinct_count: u32,
  columns: u32,
  row_begin: u32,
  row_end: u32,
}

@group(0) @binding(0) var<storage, read> d_y: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.distinct_count, params.distinct) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let index = i / width;
    let row = rows[index];
    if (row < params.row_begin || row >= params.row_end) {
      continue;
    }
    var total = vec4<f32>(0.0);
    for (var entry = offsets[index]; entry < offsets[index + 1u]; entry++) {
      total += vec4<f32>(d_y[order[entry] * width + i % width]);
    }
    gradient[(row - params.row_begin) * width + i % width] += total;
  }
}
