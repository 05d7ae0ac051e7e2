// matmul_nn_gelu_backward: c[i, j] = GELU'(x[i, j]) · Σ_k a[i, k] · b[k, j]. The gradient of the
// input of the GELU before a linear layer.
//
// a [m, k], b [k, n], x and c [m, n]; x is the GELU's input: row-major, bound as quads of 4 along the
// last axis.
// Overwrites c.
// One dispatch covers c; tiles and workgroups: include_matmul_registers.wgsl.
// Limits: n and k are multiples of 4. Live sizes are free: include_matmul_params.wgsl.
// Precision: a and b are stored as Element, c as Output; f32 products and sums, one running sum per output element.
//@ type Element: f32 | f16
//@ type Output: f32 | f16
//@ include matmul_params
//@ include gelu
//@ include matmul_registers
//@ include matmul_left_rows
//@ include matmul_right_columns

@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<Output>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<Output>>;
@group(0) @binding(16) var<uniform> params: Params;

fn write_quad(at: u32, quad: u32, sum: vec4<f32>) {
  c[at] = vec4<Output>(sum * gelu_derivative(vec4<f32>(x[at])));
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  multiply(tile, invocation);
}
