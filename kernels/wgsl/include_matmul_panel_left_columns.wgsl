// Included by `//@ include matmul_panel_left_columns`: STEP_K × TILE_M columns of a [k, m] in workgroup memory.
//@ include matmul_left_columns

const A_STRIDE: u32 = MATRIX_M + PADDING_M;
var<workgroup> panel_a: array<array<Component, MATRIX_K * A_STRIDE>, (TILE_M / MATRIX_M) * SLICES>;

// Invocations side by side bring a row of the panel, a quad each; all of them, A_STEP rows at a time.
const A_QUADS: u32 = TILE_M / 4u;
const A_STEP: u32 = WORKGROUP_X / A_QUADS;
const A_LOADS: u32 = (STEP_K + A_STEP - 1u) / A_STEP;
alias AStarts = u32;
alias AQuads = array<vec4<Element>, A_LOADS>;

fn starts_of_a(first_row: u32, invocation: u32) -> AStarts {
  return a_starts(vec4<u32>(first_row + 4u * (invocation % A_QUADS))).x;
}

// Where all k are live nothing is done to quads, so that nothing waits for them before they are staged.
fn load_a(start: AStarts, first_k: u32, end_k: u32, invocation: u32) -> AQuads {
  var quads: AQuads;
  let k = first_k + invocation / A_QUADS;
  if (first_k + STEP_K <= end_k) {
    for (var load = 0u; load < A_LOADS; load++) { //@ unroll
      quads[load] = a_stored(start, k + load * A_STEP);
    }
  } else {
    for (var load = 0u; load < A_LOADS; load++) { //@ unroll
      let load_k = k + load * A_STEP;
      quads[load] = a_live(a_stored(start, a_last_k(load_k)), load_k, end_k);
    }
  }
  return quads;
}

fn stage_a(quads: AQuads, invocation: u32) {
  let quad_row = invocation % A_QUADS;
  let matrix = quad_row / (MATRIX_M / 4u);
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let k = (load * A_STEP) % MATRIX_K + (invocation / A_QUADS) % A_STEP;
    let slice = (load * A_STEP) / MATRIX_K + k / MATRIX_K;
    if (STEP_K % A_STEP == 0u || slice < SLICES) {
      let quad = quads[load];
      let at = (k % MATRIX_K) * A_STRIDE + 4u * (quad_row % (MATRIX_M / 4u));
      let slot = matrix * SLICES + min(slice, SLICES - 1u);
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
  return subgroupMatrixLoad<Left, col_major>(&panel_a[at], 0u, A_STRIDE);
}
