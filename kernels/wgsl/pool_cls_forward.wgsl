// The first token's vector of each sequence, for the slots from slot_begin on.
//
// Shapes    hidden [tokens, columns]; slots [all slots] of (first, end) token; y [rows, columns],
//           row r for slot slot_begin + r.
// Writes    overwrites y.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4.
// Precision hidden is stored as Element, y is f32.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  slot_begin: u32,
}

@group(0) @binding(0) var<storage, read> hidden: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> slots: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.rows_count, params.rows) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    y[i] = vec4<f32>(hidden[slots[params.slot_begin + i / width].x * width + i % width]);
  }
}
