// Included by `//@ include matmul_panel_right_columns`: STEP_K × TILE_N columns of b [k, n] in workgroup memory.
//@ include matmul_ahead_right_columns

const B_STRIDE: u32 = MATRIX_N + PADDING_N;
var<workgroup> panel_b: array<array<Component, MATRIX_K * B_STRIDE>, (TILE_N / MATRIX_N) * SLICES>;

fn stage_b(quads: BQuads, invocation: u32) {
  let quad_column = invocation % B_QUADS;
  let matrix = quad_column / (MATRIX_N / 4u);
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let k = (load * B_STEP) % MATRIX_K + (invocation / B_QUADS) % B_STEP;
    let slice = (load * B_STEP) / MATRIX_K + k / MATRIX_K;
    if (STEP_K % B_STEP == 0u || slice < SLICES) {
      let quad = carried(quads[load]);
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
