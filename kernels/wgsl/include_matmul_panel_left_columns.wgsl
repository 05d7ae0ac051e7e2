// Included by `//@ include matmul_panel_left_columns`: STEP_K × TILE_M columns of a [k, m] in workgroup memory.
//@ include matmul_ahead_left_columns

const A_STRIDE: u32 = MATRIX_M + PADDING_M;
var<workgroup> panel_a: array<array<Component, MATRIX_K * A_STRIDE>, (TILE_M / MATRIX_M) * SLICES>;

fn stage_a(quads: AQuads, invocation: u32) {
  let quad_row = invocation % A_QUADS;
  let matrix = quad_row / (MATRIX_M / 4u);
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let k = (load * A_STEP) % MATRIX_K + (invocation / A_QUADS) % A_STEP;
    let slice = (load * A_STEP) / MATRIX_K + k / MATRIX_K;
    if (STEP_K % A_STEP == 0u || slice < SLICES) {
      let quad = carried(quads[load]);
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
