// InfoNCE from queries to candidates: log-sum-exp and loss of each row of the similarity matrix.
//
// loss_i = log sum_j exp(s_ij / temperature) - s_ii / temperature, over the candidates j that are
// not masked: a candidate j ≠ i of the same group as i is a translation or a duplicate of i's own
// positive and counts neither as positive nor as negative.
//
// Shapes    similarity [queries, candidates], the first columns being the queries' own positives;
//           groups [candidates]; statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature)); loss [queries].
// Writes    overwrites statistics and loss.
// Dispatch  one invocation per query; ceil(queries / WORKGROUP_SIZE) workgroups.
// Precision f32, online softmax, candidates in order.
// Source    van den Oord et al. 2018; in-batch negatives as in Karpukhin et al. 2020.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let query = id.x;
  if (query >= live_count(params.queries_count, params.queries)) {
    return;
  }
  let candidates = live_count(params.candidates_count, params.candidates);
  let base = query * params.candidates;
  let group = groups[query];
  var largest = -1.0e30;
  var denominator = 0.0;
  for (var candidate = 0u; candidate < candidates; candidate++) {
    if (candidate != query && groups[candidate] == group) {
      continue;
    }
    let one = similarity[base + candidate];
    let larger = max(largest, one);
    denominator = denominator * exp((largest - larger) * params.inverse_temperature)
      + exp((one - larger) * params.inverse_temperature);
    largest = larger;
  }
  statistics[query] = vec2<f32>(largest, denominator);
  loss[query] = (largest - similarity[base + query]) * params.inverse_temperature + log(denominator);
}
