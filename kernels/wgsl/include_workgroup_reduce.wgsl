// Included by `//@ include workgroup_reduce`: combines the values of LANES invocations of a workgroup into
// one for all of them; SUMS such reductions run side by side. LANES · SUMS invocations, LANES a power of two.
//
// The kernel says what is combined and how: `alias Total = …`, `fn combine(a: Total, b: Total) -> Total`. A tree
// through workgroup memory in a fixed order: the same bits every run, whatever the size of a subgroup.
//@ const LANES: u32 = 64
//@ const SUMS: u32 = 1

var<workgroup> totals: array<Total, LANES * SUMS>;

// In uniform control flow only. `index` is the invocation's own place; the next lane's is `stride` further.
fn reduce_lanes(own: Total, lane: u32, index: u32, stride: u32) -> Total {
  totals[index] = own;
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (lane < distance) {
      totals[index] = combine(totals[index], totals[index + distance * stride]);
    }
    workgroupBarrier();
  }
  let total = totals[index - lane * stride];
  // No lane begins the next reduction before all have read this one.
  workgroupBarrier();
  return total;
}
