// info_nce_row_statistics with a query's candidates shared by the lanes of a workgroup. InfoNCE from queries to
// candidates: log-sum-exp and loss of each row of the similarity matrix.
//
// loss_i = log sum_j exp(s_ij / temperature) - s_ii / temperature, over the candidates j that are
// not masked: a candidate j ≠ i of the same group as i is a translation or a duplicate of i's own
// positive and counts neither as positive nor as negative.
//
// Shapes    similarity [queries, candidates], the first columns being the queries' own positives;
//           groups [candidates]; statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature)); loss [queries].
// Writes    overwrites statistics and loss.
// Dispatch  one workgroup per query, in a grid-stride loop; any number of workgroups (x).
// Precision f32, online softmax, each lane's candidates in order, then a tree.
// Source    van den Oord et al. 2018; in-batch negatives as in Karpukhin et al. 2020.
//@ include step
//@ include softmax_reduce

struct Params {
  queries: u32,
  queries_count: u32,
  candidates: u32,
  candidates_count: u32,
  inverse_temperature: f32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let queries = live_count(params.queries_count, params.queries);
  let candidates = live_count(params.candidates_count, params.candidates);
  for (var query = workgroup.x; query < queries; query += workgroups.x) {
    let base = query * params.candidates;
    let group = groups[query];
    var seen = NOTHING_SEEN;
    for (var candidate = lane; candidate < candidates; candidate += LANES) {
      if (candidate == query || groups[candidate] != group) {
        seen = with_similarity(seen, similarity[base + candidate]);
      }
    }
    let all = reduce_lanes(seen, lane, lane, 1u);
    if (lane == 0u) {
      statistics[query] = all;
      loss[query] = (all.x - similarity[base + query]) * params.inverse_temperature + log(all.y);
    }
  }
}
