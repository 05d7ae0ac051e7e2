// Included by `//@ include matmul_panel_left_columns`: STEP_K × TILE_M columns of a [k, m] in workgroup memory.
//@ include matmul_left_columns

const A_STRIDE: u32 = TILE_M + PADDING;
var<workgroup> panel_a: array<Component, STEP_K * A_STRIDE>;

fn stage_a(first_row: u32, first_k: u32, end_k: u32, invocation: u32) {
  for (var i = invocation; i < STEP_K * (TILE_M / 4u); i += WORKGROUP_X) {
    let k = i / (TILE_M / 4u);
    let row = 4u * (i % (TILE_M / 4u));
    // With a value: without one it may keep that of the turn before (seen on lavapipe).
    var quad = vec4<f32>();
    if (first_k + k < end_k) {
      quad = a_quad(a_starts(vec4<u32>(first_row + row)).x, first_k + k, end_k);
    }
    let at = k * A_STRIDE + row;
    panel_a[at] = Component(quad.x);
    panel_a[at + 1u] = Component(quad.y);
    panel_a[at + 2u] = Component(quad.z);
    panel_a[at + 3u] = Component(quad.w);
  }
}

fn load_left(row: u32, k: u32) -> Left {
  return subgroupMatrixLoad<Left, col_major>(&panel_a, k * A_STRIDE + row, A_STRIDE);
}
