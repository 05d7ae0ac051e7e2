// Included by `//@ include matmul_panel_left_rows`: TILE_M rows × STEP_K of a [m, k] in workgroup memory.
//@ include matmul_left_rows

const A_STRIDE: u32 = MATRIX_K + PADDING_K;
var<workgroup> panel_a: array<array<Component, MATRIX_M * A_STRIDE>, (TILE_M / MATRIX_M) * SLICES>;

// Invocations side by side bring a row of the panel, a quad each; all of them, A_STEP rows at a time.
const A_QUADS: u32 = STEP_K / 4u;
const A_STEP: u32 = WORKGROUP_X / A_QUADS;
const A_LOADS: u32 = (TILE_M + A_STEP - 1u) / A_STEP;
alias AStarts = array<u32, A_LOADS>;
alias AQuads = array<vec4<Element>, A_LOADS>;

fn starts_of_a(first_row: u32, invocation: u32) -> AStarts {
  var starts: AStarts;
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    starts[load] = a_starts(vec4<u32>(first_row + load * A_STEP + invocation / A_QUADS)).x;
  }
  return starts;
}

// Where all k are live nothing is done to quads, so that nothing waits for them before they are staged.
fn load_a(starts: AStarts, first_k: u32, end_k: u32, invocation: u32) -> AQuads {
  var quads: AQuads;
  let k = first_k + 4u * (invocation % A_QUADS);
  if (first_k + STEP_K <= end_k) {
    for (var load = 0u; load < A_LOADS; load++) { //@ unroll
      quads[load] = a_stored(starts[load], k);
    }
  } else {
    for (var load = 0u; load < A_LOADS; load++) { //@ unroll
      quads[load] = a_live(a_stored(starts[load], a_last_k(k)), k, end_k);
    }
  }
  return quads;
}

fn stage_a(quads: AQuads, invocation: u32) {
  let quad_k = invocation % A_QUADS;
  let slice = quad_k / (MATRIX_K / 4u);
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let row = (load * A_STEP) % MATRIX_M + (invocation / A_QUADS) % A_STEP;
    let matrix = (load * A_STEP) / MATRIX_M + row / MATRIX_M;
    if (TILE_M % A_STEP == 0u || matrix < TILE_M / MATRIX_M) {
      let quad = quads[load];
      let at = (row % MATRIX_M) * A_STRIDE + 4u * (quad_k % (MATRIX_K / 4u));
      let slot = min(matrix, TILE_M / MATRIX_M - 1u) * SLICES + slice;
      panel_a[slot][at] = Component(quad.x);
      panel_a[slot][at + 1u] = Component(quad.y);
      panel_a[slot][at + 2u] = Component(quad.z);
      panel_a[slot][at + 3u] = Component(quad.w);
    }
  }
}

// Matrix `matrix` of a subgroup's rows.
fn load_left(own: u32, matrix: u32, slice: u32) -> Left {
  let at = ((own % SUBGROUPS_M) * FRAGMENTS_M + matrix % FRAGMENTS_M) * SLICES + slice % SLICES;
  return subgroupMatrixLoad<Left, row_major>(&panel_a[at], 0u, A_STRIDE);
}
