// total[0] += the sum of x: the gradient of one number from its rows' shares.
//
// Shapes    x [rows]; total [≥ 1], of which the first element is written.
// Writes    accumulates into total[0] (+=).
// Dispatch  one workgroup: each invocation sums its rows in order, then the first sums the invocations.
// Precision f32, fixed order.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> total: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

var<workgroup> partials: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  let rows = live_count(params.rows_count, params.rows);
  var sum = 0.0;
  for (var row = lane; row < rows; row += WORKGROUP_SIZE) {
    sum += x[row];
  }
  partials[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    var all = 0.0;
    for (var i = 0u; i < WORKGROUP_SIZE; i++) {
      all += partials[i];
    }
    total[0] += all;
  }
}
