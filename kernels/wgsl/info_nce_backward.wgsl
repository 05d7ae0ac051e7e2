// Gradient of the mean InfoNCE loss with respect to the similarity matrix.
//
// d_ij = (row_weight · (softmax over candidates - [i = j])
//         + column_weight · (softmax over queries - [i = j])) / (temperature · queries),
// the second term for positives only; zero where masked.
//
// Shapes    similarity, d_similarity [queries, candidates]; groups [candidates];
//           row_statistics, column_statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature)).
// Writes    overwrites d_similarity within the live sizes.
// Dispatch  one invocation per candidate, one workgroup row per query:
//           ceil(candidates / WORKGROUP_SIZE) × queries.
// Limits    at most 65,535 queries. With row_weight or column_weight 0 the statistics of that
//           direction are not read.
// Precision f32; the gradient is multiplied by the step's loss scale. Differences as in include_softmax_reduce.wgsl.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  queries: u32,
  queries_count: u32,
  candidates: u32,
  candidates_count: u32,
  inverse_temperature: f32,
  row_weight: f32,
  column_weight: f32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> row_statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> column_statistics: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> d_similarity: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let candidate = id.x;
  let query = id.y;
  let queries = live_count(params.queries_count, params.queries);
  if (query >= queries || candidate >= live_count(params.candidates_count, params.candidates)) {
    return;
  }
  let index = query * params.candidates + candidate;
  if (candidate != query && groups[candidate] == groups[query]) {
    d_similarity[index] = 0.0;
    return;
  }
  let own = similarity[index];
  let target_probability = select(0.0, 1.0, candidate == query);
  var gradient = 0.0;
  if (params.row_weight > 0.0) {
    let row = row_statistics[query];
    gradient += params.row_weight * (exp((own - row.x) * params.inverse_temperature) / row.y - target_probability);
  }
  if (params.column_weight > 0.0 && candidate < queries) {
    let column = column_statistics[candidate];
    gradient += params.column_weight
      * (exp((own - column.x) * params.inverse_temperature) / column.y - target_probability);
  }
  d_similarity[index] = step.loss_scale * (gradient * params.inverse_temperature / f32(queries));
}
