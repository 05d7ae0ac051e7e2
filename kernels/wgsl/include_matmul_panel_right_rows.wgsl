// Included by `//@ include matmul_panel_right_rows`: TILE_N rows × STEP_K of b [n, k] in workgroup memory.
//@ include matmul_right_rows

const B_STRIDE: u32 = MATRIX_K + PADDING_K;
var<workgroup> panel_b: array<array<Component, MATRIX_N * B_STRIDE>, (TILE_N / MATRIX_N) * SLICES>;

// Invocations side by side bring a row of the panel, a quad each; all of them, B_STEP rows at a time.
const B_QUADS: u32 = STEP_K / 4u;
const B_STEP: u32 = WORKGROUP_X / B_QUADS;
const B_LOADS: u32 = (TILE_N + B_STEP - 1u) / B_STEP;
alias BStarts = array<u32, B_LOADS>;
alias BQuads = array<vec4<Element>, B_LOADS>;

fn starts_of_b(first_column: u32, invocation: u32) -> BStarts {
  var starts: BStarts;
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    starts[load] = b_start(first_column + load * B_STEP + invocation / B_QUADS);
  }
  return starts;
}

// Where all k are live nothing is done to quads, so that nothing waits for them before they are staged.
fn load_b(starts: BStarts, first_k: u32, end_k: u32, invocation: u32) -> BQuads {
  var quads: BQuads;
  let k = first_k + 4u * (invocation % B_QUADS);
  if (first_k + STEP_K <= end_k) {
    for (var load = 0u; load < B_LOADS; load++) { //@ unroll
      quads[load] = b_stored(starts[load], k);
    }
  } else {
    for (var load = 0u; load < B_LOADS; load++) { //@ unroll
      quads[load] = b_live(b_stored(starts[load], b_last_k(k)), k, end_k);
    }
  }
  return quads;
}

fn stage_b(quads: BQuads, invocation: u32) {
  let quad_k = invocation % B_QUADS;
  let slice = quad_k / (MATRIX_K / 4u);
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let column = (load * B_STEP) % MATRIX_N + (invocation / B_QUADS) % B_STEP;
    let matrix = (load * B_STEP) / MATRIX_N + column / MATRIX_N;
    if (TILE_N % B_STEP == 0u || matrix < TILE_N / MATRIX_N) {
      let quad = quads[load];
      let at = (column % MATRIX_N) * B_STRIDE + 4u * (quad_k % (MATRIX_K / 4u));
      let slot = min(matrix, TILE_N / MATRIX_N - 1u) * SLICES + slice;
      panel_b[slot][at] = Component(quad.x);
      panel_b[slot][at + 1u] = Component(quad.y);
      panel_b[slot][at + 2u] = Component(quad.z);
      panel_b[slot][at + 3u] = Component(quad.w);
    }
  }
}

// Matrix `matrix` of a subgroup's columns.
fn load_right(own: u32, matrix: u32, slice: u32) -> Right {
  let at = ((own % SUBGROUPS_N) * FRAGMENTS_N + matrix % FRAGMENTS_N) * SLICES + slice % SLICES;
  return subgroupMatrixLoad<Right, col_major>(&panel_b[at], 0u, B_STRIDE);
}
