// matmul_tn: c[i, j] = Σ_k a[k, i] · b[k, j]. The gradient of a weight: k runs over tokens.
//
// a [k, m], b [k, n], c [m, n], or [parts, m, n] where k is worked through in parts: row-major, bound as quads
// of 4 along the last axis.
// Overwrites c, or adds to it if ACCUMULATE.
// One dispatch covers c; tiles and workgroups: include_matmul_registers.wgsl.
// Limits: m and n are multiples of 4. Live sizes are free: include_matmul_params.wgsl.
// Precision: a and b are stored as Element, c as Output; f32 products and sums, one running sum per output element.
//@ type Element: f32 | f16
//@ type Output: f32 | f16
//@ const ACCUMULATE: bool = false
//@ include matmul_params
//@ include matmul_registers
//@ include matmul_left_columns
//@ include matmul_right_columns

@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<Output>>;
@group(0) @binding(16) var<uniform> params: Params;

fn write_quad(at: u32, quad: u32, sum: vec4<f32>) {
  c[at] = vec4<Output>(sum + select(vec4<f32>(), vec4<f32>(c[at]), ACCUMULATE));
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  multiply(tile, invocation);
}
