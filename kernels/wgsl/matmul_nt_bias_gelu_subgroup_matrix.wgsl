// matmul_nt_bias_gelu_subgroup_matrix: x[i, j] = Σ_k a[i, k] · b[j, k] + bias[j], c = GELU(x). A linear layer
// and its activation.
//
// a [m, k], b [n, k], bias [n] (f32), x and c [m, n]; x is kept for backward: row-major, bound as quads of 4
// along the last axis.
// Overwrites x and c.
// One dispatch covers c; tiles and workgroups: include_matmul_subgroup_matrix.wgsl.
// Limits: n and k are multiples of 4. Live sizes are free: include_matmul_params.wgsl.
// Precision: a and b are stored as Element, c as Output; products and sums as the matrix units make them.
//@ type Element: f32 | f16
//@ type Output: f32 | f16
//@ include matmul_params
//@ include gelu
//@ include matmul_subgroup_matrix
//@ include matmul_panel_left_rows
//@ include matmul_panel_right_rows

@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<Output>>;
@group(0) @binding(4) var<storage, read_write> c: array<vec4<Output>>;
@group(0) @binding(16) var<uniform> params: Params;

fn write_quad(at: u32, quad: u32, sum: vec4<f32>) {
  let before = vec4<Output>(sum + bias[quad]);
  x[at] = before;
  c[at] = vec4<Output>(gelu(vec4<f32>(before)));
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  multiply(tile, invocation, subgroup);
}
