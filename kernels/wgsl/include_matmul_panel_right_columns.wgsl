// Included by `//@ include matmul_panel_right_columns`: STEP_K × TILE_N columns of b [k, n] in workgroup memory.
//@ include matmul_right_columns

const B_STRIDE: u32 = MATRIX_N + PADDING_N;
var<workgroup> panel_b: array<array<Component, MATRIX_K * B_STRIDE>, (TILE_N / MATRIX_N) * SLICES>;

// Invocations side by side bring a row of the panel, a quad each; all of them, B_STEP rows at a time.
const B_QUADS: u32 = TILE_N / 4u;
const B_STEP: u32 = WORKGROUP_X / B_QUADS;
const B_LOADS: u32 = (STEP_K + B_STEP - 1u) / B_STEP;
alias BStarts = u32;
alias BQuads = array<vec4<Element>, B_LOADS>;

fn starts_of_b(first_column: u32, invocation: u32) -> BStarts {
  return b_start(first_column + 4u * (invocation % B_QUADS));
}

// Where all k are live nothing is done to quads, so that nothing waits for them before they are staged.
fn load_b(start: BStarts, first_k: u32, end_k: u32, invocation: u32) -> BQuads {
  var quads: BQuads;
  let k = first_k + invocation / B_QUADS;
  if (first_k + STEP_K <= end_k) {
    for (var load = 0u; load < B_LOADS; load++) { //@ unroll
      quads[load] = b_stored(start, k + load * B_STEP);
    }
  } else {
    for (var load = 0u; load < B_LOADS; load++) { //@ unroll
      let load_k = k + load * B_STEP;
      quads[load] = b_live(b_stored(start, b_last_k(load_k)), load_k, end_k);
    }
  }
  return quads;
}

fn stage_b(quads: BQuads, invocation: u32) {
  let quad_column = invocation % B_QUADS;
  let matrix = quad_column / (MATRIX_N / 4u);
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let k = (load * B_STEP) % MATRIX_K + (invocation / B_QUADS) % B_STEP;
    let slice = (load * B_STEP) / MATRIX_K + k / MATRIX_K;
    if (STEP_K % B_STEP == 0u || slice < SLICES) {
      let quad = quads[load];
      let at = (k % MATRIX_K) * B_STRIDE + 4u * (quad_column % (MATRIX_N / 4u));
      let slot = matrix * SLICES + min(slice, SLICES - 1u);
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
  return subgroupMatrixLoad<Right, row_major>(&panel_b[at], 0u, B_STRIDE);
}
