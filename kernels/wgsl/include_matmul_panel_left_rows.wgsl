// Included by `//@ include matmul_panel_left_rows`: TILE_M rows × STEP_K of a [m, k] in workgroup memory.
//@ include matmul_ahead_left_rows

const A_STRIDE: u32 = MATRIX_K + PADDING_K;
var<workgroup> panel_a: array<array<Component, MATRIX_M * A_STRIDE>, (TILE_M / MATRIX_M) * SLICES>;

fn stage_a(quads: AQuads, invocation: u32) {
  let quad_k = invocation % A_QUADS;
  let slice = quad_k / (MATRIX_K / 4u);
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let row = (load * A_STEP) % MATRIX_M + (invocation / A_QUADS) % A_STEP;
    let matrix = (load * A_STEP) / MATRIX_M + row / MATRIX_M;
    if (TILE_M % A_STEP == 0u || matrix < TILE_M / MATRIX_M) {
      let quad = carried(quads[load]);
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
