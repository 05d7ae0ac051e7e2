// d_x = (d_y - y · (d_y · y)) / ‖x‖: gradient of normalising rows.
//
// Shapes    y, d_y, d_x [rows, columns]; inverse_norms [rows]; y and inverse_norms from forward.
// Writes    overwrites d_x.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> inverse_norms: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let width = params.columns / 4u;
  let base = id.x * width;
  var products = vec4<f32>(0.0);
  for (var column = 0u; column < width; column++) {
    products += y[base + column] * d_y[base + column];
  }
  let projection = dot(products, vec4<f32>(1.0));
  let inverse_norm = inverse_norms[id.x];
  for (var column = 0u; column < width; column++) {
    d_x[base + column] = (d_y[base + column] - y[base + column] * projection) * inverse_norm;
  }
}
