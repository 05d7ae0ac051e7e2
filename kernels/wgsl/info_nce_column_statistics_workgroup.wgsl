// info_nce_column_statistics with a positive's queries shared by the lanes of a workgroup. InfoNCE from positives to
// queries: log-sum-exp and loss of the columns that are positives.
//
// As info_nce_row_statistics with the roles exchanged: each query's positive must find its query
// among all queries; a query i ≠ j of the same group as positive j is masked. Hard negatives have
// no query of their own and take no part.
//
// Shapes    similarity [queries, candidates]; groups [candidates]; statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature)); loss [queries].
// Writes    overwrites statistics and loss.
// Dispatch  SUMS positives per workgroup; ceil(queries / SUMS) workgroups.
// Precision f32, online softmax, each lane's queries in order, then a tree.
// Source    the symmetric term of Radford et al. 2021 (CLIP).
//@ include step
//@ include softmax_reduce

struct Params {
  queries: u32,
  queries_count: u32,
  candidates: u32,
  inverse_temperature: f32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(SUMS, LANES)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
) {
  let queries = live_count(params.queries_count, params.queries);
  let positive = workgroup.x * SUMS + local.x;
  // One beyond the last takes part in the reduction, with no queries.
  let end = select(0u, queries, positive < queries);
  let group = groups[min(positive, queries - 1u)];
  var seen = NOTHING_SEEN;
  for (var query = local.y; query < end; query += LANES) {
    if (query == positive || groups[query] != group) {
      seen = with_similarity(seen, similarity[query * params.candidates + positive]);
    }
  }
  let all = reduce_lanes(seen, local.y, index, SUMS);
  if (local.y == 0u && positive < queries) {
    statistics[positive] = all;
    loss[positive] = (all.x - similarity[positive * params.candidates + positive]) * params.inverse_temperature + log(all.y);
  }
}
