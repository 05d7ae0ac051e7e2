// The scores of a block that may still be among a query's k best: those at or above its threshold.
//
// Shapes    scores [queries, candidates]; thresholds [queries]; found [queries, 1 + 2 · capacity]: how many
//           there are, then pairs of a candidate's index and the bits of its score, in no order.
// Writes    overwrites each live query's count and as many pairs as there are; a count above capacity says
//           that pairs are missing, and the caller takes the scores instead.
// Dispatch  one workgroup per query (x).
// Limits    no score is NaN; candidates · queries fits u32.
// Precision exact: scores are compared and copied, not computed.
// Source    exact search by streaming: the threshold is the k-th best score so far, so the set of the k best
//           is unchanged by what is left out. Order among invocations varies; the caller sorts.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  queries: u32,
  queries_count: u32,
  candidates: u32,
  candidates_count: u32,
  capacity: u32,
}

@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> thresholds: array<f32>;
@group(0) @binding(2) var<storage, read_write> found: array<u32>;
@group(0) @binding(16) var<uniform> params: Params;

var<workgroup> count: atomic<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let query = workgroup.x;
  let live = query < live_count(params.queries_count, params.queries);
  let candidates = live_count(params.candidates_count, params.candidates);
  let threshold = thresholds[min(query, params.queries - 1u)];
  let base = query * (1u + 2u * params.capacity);
  if (invocation == 0u) {
    atomicStore(&count, 0u);
  }
  workgroupBarrier();
  for (var candidate = invocation; live && candidate < candidates; candidate += WORKGROUP_SIZE) {
    let score = scores[query * params.candidates + candidate];
    if (score >= threshold) {
      let at = atomicAdd(&count, 1u);
      if (at < params.capacity) {
        found[base + 1u + 2u * at] = candidate;
        found[base + 2u + 2u * at] = bitcast<u32>(score);
      }
    }
  }
  workgroupBarrier();
  if (live && invocation == 0u) {
    found[base] = atomicLoad(&count);
  }
}
