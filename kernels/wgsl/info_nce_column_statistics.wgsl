// InfoNCE from positives to queries: log-sum-exp and loss of the columns that are positives.
//
// As info_nce_row_statistics with the roles exchanged: each query's positive must find its query
// among all queries; a query i ≠ j of the same group as positive j is masked. Hard negatives have
// no query of their own and take no part.
//
// Shapes    similarity [queries, candidates]; groups [candidates]; statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature)); loss [queries].
// Writes    overwrites statistics and loss.
// Dispatch  one invocation per positive; ceil(queries / WORKGROUP_SIZE) workgroups.
// Precision f32, online softmax, queries in order.
// Source    the symmetric term of Radford et al. 2021 (CLIP).
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let positive = id.x;
  let queries = live_count(params.queries_count, params.queries);
  if (positive >= queries) {
    return;
  }
  let group = groups[positive];
  var largest = -1.0e30;
  var denominator = 0.0;
  for (var query = 0u; query < queries; query++) {
    if (query != positive && groups[query] == group) {
      continue;
    }
    let one = similarity[query * params.candidates + positive];
    let larger = max(largest, one);
    denominator = denominator * exp((largest - larger) * params.inverse_temperature)
      + exp((one - larger) * params.inverse_temperature);
    largest = larger;
  }
  statistics[positive] = vec2<f32>(largest, denominator);
  loss[positive] = (largest - similarity[positive * params.candidates + positive]) * params.inverse_temperature + log(denominator);
}
