// matmul_nt_bias_subgroup: c[i, j] = Σ_k a[i, k] · b[j, k] + bias[j]. A linear layer.
//
// a [m, k], b [n, k], bias [n] (f32), c [m, n]: row-major, bound as quads of 4 along the last axis.
// Overwrites c.
// One dispatch covers c; tiles and workgroups: include_matmul_subgroup.wgsl.
// Limits: n and k are multiples of 4. Live sizes are free: include_matmul_params.wgsl.
// Precision: a and b are stored as Element, c as Output; f32 products and sums, one running sum per output element.
//@ type Element: f32 | f16
//@ type Output: f32 | f16
//@ include matmul_params
//@ include matmul_subgroup
//@ include matmul_left_rows
//@ include matmul_right_rows

@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<Output>>;
@group(0) @binding(16) var<uniform> params: Params;

fn write_quad(at: u32, quad: u32, sum: vec4<f32>) {
  c[at] = vec4<Output>(sum + bias[quad]);
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_invocation_id) subgroup_invocation: u32,
) {
  multiply(tile, invocation, subgroup_invocation);
}
