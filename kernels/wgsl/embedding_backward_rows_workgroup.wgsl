// embedding_backward_rows with a row's tokens shared by the lanes of a workgroup: each distinct row of an embedding
// table gets the gradient summed over the tokens that used it.
//
// The host knows the ids, so it sorts them: no atomics, and the same order every run. Begins and ends of texts,
// punctuation and first positions are used by every text of a batch, most words once.
//
// Shapes    d_y [tokens, columns]; rows [distinct] the table rows, ascending; offsets [distinct + 1]
//           into order; order [tokens] token indices sorted by row;
//           gradient [row_end - row_begin, columns].
// Writes    accumulates into gradient (+=).
// Dispatch  4 · SUMS columns of one distinct row per workgroup, in a grid-stride loop; any number of workgroups (x).
// Limits    columns is a multiple of 4.
// Precision f32; each lane's tokens in order, then a tree.
//@ type Element: f32 | f16
//@ include step
//@ include workgroup_reduce

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

alias Total = vec4<f32>;
fn combine(a: Total, b: Total) -> Total {
  return a + b;
}

@compute @workgroup_size(SUMS, LANES)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let width = params.columns / 4u;
  let parts = (width + SUMS - 1u) / SUMS;
  let count = live_count(params.distinct_count, params.distinct) * parts;
  for (var i = workgroup.x; i < count; i += workgroups.x) {
    let index = i / parts;
    let row = rows[index];
    if (row < params.row_begin || row >= params.row_end) {
      continue;
    }
    let column = (i % parts) * SUMS + local.x;
    let end = select(0u, offsets[index + 1u], column < width);
    var own = vec4<f32>(0.0);
    for (var entry = offsets[index] + local.y; entry < end; entry += LANES) {
      own += vec4<f32>(d_y[order[entry] * width + column]);
    }
    let total = reduce_lanes(own, local.y, invocation, SUMS);
    if (local.y == 0u && column < width) {
      gradient[(row - params.row_begin) * width + column] += total;
    }
  }
}
