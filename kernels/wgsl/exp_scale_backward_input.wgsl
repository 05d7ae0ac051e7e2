// d_x = d_y · exp(log_scale[0]), and each row's share of the gradient of log_scale: d_y · y.
//
// Shapes    y, d_y, d_x [rows, columns]; log_scale [≥ 1]; products [rows].
// Writes    overwrites products; overwrites d_x, or accumulates into it (+=) if ACCUMULATE.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    columns is a multiple of 4. Rows beyond the live count are not touched.
// Precision f32.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const ACCUMULATE: bool = false
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> log_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let scale = exp(log_scale[0]);
  let width = params.columns / 4u;
  let base = id.x * width;
  var sums = vec4<f32>(0.0);
  for (var i = base; i < base + width; i++) {
    sums += y[i] * d_y[i];
    d_x[i] = d_y[i] * scale + select(vec4<f32>(0.0), d_x[i], ACCUMULATE);
  }
  products[id.x] = dot(sums, vec4<f32>(1.0));
}
