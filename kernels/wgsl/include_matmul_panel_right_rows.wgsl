// Included by `//@ include matmul_panel_right_rows`: TILE_N rows × STEP_K of b [n, k] in workgroup memory.
//@ include matmul_right_rows

const B_STRIDE: u32 = STEP_K + PADDING;
var<workgroup> panel_b: array<Component, TILE_N * B_STRIDE>;

fn stage_b(first_column: u32, first_k: u32, end_k: u32, invocation: u32) {
  for (var i = invocation; i < TILE_N * (STEP_K / 4u); i += WORKGROUP_X) {
    let column = i / (STEP_K / 4u);
    let k = 4u * (i % (STEP_K / 4u));
    var quad = vec4<f32>();
    if (first_k + k < end_k) {
      quad = b_quad(b_start(first_column + column), first_k + k, end_k);
    }
    let at = column * B_STRIDE + k;
    panel_b[at] = Component(quad.x);
    panel_b[at + 1u] = Component(quad.y);
    panel_b[at + 2u] = Component(quad.z);
    panel_b[at + 3u] = Component(quad.w);
  }
}

fn load_right(column: u32, k: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&panel_b, column * B_STRIDE + k, B_STRIDE);
}
