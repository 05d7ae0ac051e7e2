// Included by `//@ include matmul_panel_left_rows`: TILE_M rows × STEP_K of a [m, k] in workgroup memory.
//@ include matmul_left_rows

const A_STRIDE: u32 = STEP_K + PADDING;
var<workgroup> panel_a: array<Component, TILE_M * A_STRIDE>;

fn stage_a(first_row: u32, first_k: u32, end_k: u32, invocation: u32) {
  for (var i = invocation; i < TILE_M * (STEP_K / 4u); i += WORKGROUP_X) {
    let row = i / (STEP_K / 4u);
    let k = 4u * (i % (STEP_K / 4u));
    var quad = vec4<f32>();
    if (first_k + k < end_k) {
      quad = a_quad(a_starts(vec4<u32>(first_row + row)).x, first_k + k, end_k);
    }
    let at = row * A_STRIDE + k;
    panel_a[at] = Component(quad.x);
    panel_a[at + 1u] = Component(quad.y);
    panel_a[at + 2u] = Component(quad.z);
    panel_a[at + 3u] = Component(quad.w);
  }
}

fn load_left(row: u32, k: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&panel_a, row * A_STRIDE + k, A_STRIDE);
}
