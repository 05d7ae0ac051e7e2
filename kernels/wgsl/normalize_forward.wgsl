// y = x / max(‖x‖, 1e-12), row by row.
//
// Shapes    x, y [rows, columns]; inverse_norms [rows].
// Writes    overwrites y and inverse_norms, which backward needs.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32.
// Source    torch.nn.functional.normalize, p = 2.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> inverse_norms: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let width = params.columns / 4u;
  let base = id.x * width;
  var squares = vec4<f32>(0.0);
  for (var column = 0u; column < width; column++) {
    squares += x[base + column] * x[base + column];
  }
  let inverse_norm = 1.0 / max(sqrt(dot(squares, vec4<f32>(1.0))), 1e-12);
  for (var column = 0u; column < width; column++) {
    y[base + column] = x[base + column] * inverse_norm;
  }
  inverse_norms[id.x] = inverse_norm;
}
