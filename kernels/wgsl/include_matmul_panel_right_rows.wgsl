// Included by `//@ include matmul_panel_right_rows`: TILE_N rows × STEP_K of b [n, k] in workgroup memory.
//@ include matmul_ahead_right_rows

const B_STRIDE: u32 = MATRIX_K + PADDING_K;
var<workgroup> panel_b: array<array<Component, MATRIX_N * B_STRIDE>, (TILE_N / MATRIX_N) * SLICES>;

fn stage_b(quads: BQuads, invocation: u32) {
  let quad_k = invocation % B_QUADS;
  let slice = quad_k / (MATRIX_K / 4u);
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let column = (load * B_STEP) % MATRIX_N + (invocation / B_QUADS) % B_STEP;
    let matrix = (load * B_STEP) / MATRIX_N + column / MATRIX_N;
    if (TILE_N % B_STEP == 0u || matrix < TILE_N / MATRIX_N) {
      let quad = carried(quads[load]);
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
