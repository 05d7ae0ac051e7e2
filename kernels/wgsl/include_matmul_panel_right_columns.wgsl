// Included by `//@ include matmul_panel_right_columns`: STEP_K × TILE_N columns of b [k, n] in workgroup memory.
//@ include matmul_right_columns

const B_STRIDE: u32 = TILE_N + PADDING;
var<workgroup> panel_b: array<Component, STEP_K * B_STRIDE>;

fn stage_b(first_column: u32, first_k: u32, end_k: u32, invocation: u32) {
  for (var i = invocation; i < STEP_K * (TILE_N / 4u); i += WORKGROUP_X) {
    let k = i / (TILE_N / 4u);
    let column = 4u * (i % (TILE_N / 4u));
    var quad = vec4<f32>();
    if (first_k + k < end_k) {
      quad = b_quad(b_start(first_column + column), first_k + k, end_k);
    }
    let at = k * B_STRIDE + column;
    panel_b[at] = Component(quad.x);
    panel_b[at + 1u] = Component(quad.y);
    panel_b[at + 2u] = Component(quad.z);
    panel_b[at + 3u] = Component(quad.w);
  }
}

fn load_right(column: u32, k: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&panel_b, k * B_STRIDE + column, B_STRIDE);
}
