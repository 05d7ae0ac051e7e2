// Gradient of MarginMSE with respect to the similarity matrix, times `factor` and the loss scale.
//
// 2 · weights[n] · error_n for a query's positive, summed over its negatives; minus that for a negative;
// zero for all others. See margin_mse_forward.wgsl.
//
// Shapes    similarity, d_similarity [queries, candidates]; offsets [queries + 1];
//           margins, row_weights [candidates].
// Writes    overwrites d_similarity within the live sizes.
// Dispatch  one invocation a candidate, one workgroup row a query:
//           ceil(candidates / WORKGROUP_SIZE) × queries.
// Limits    at most 65,535 queries.
// Precision f32, negatives in order.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  queries: u32,
  queries_count: u32,
  candidates: u32,
  candidates_count: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> margins: array<f32>;
@group(0) @binding(3) var<storage, read> row_weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_similarity: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let candidate = id.x;
  let query = id.y;
  if (query >= live_count(params.queries_count, params.queries)
    || candidate >= live_count(params.candidates_count, params.candidates)) {
    return;
  }
  let base = query * params.candidates;
  let own = similarity[base + query];
  var gradient = 0.0;
  if (candidate == query) {
    for (var negative = offsets[query]; negative < offsets[query + 1u]; negative++) {
      gradient += row_weights[negative] * (own - similarity[base + negative] - margins[negative]);
    }
  } else if (candidate >= offsets[query] && candidate < offsets[query + 1u]) {
    gradient = -row_weights[candidate] * (own - similarity[base + candidate] - margins[candidate]);
  }
  d_similarity[base + candidate] = step.loss_scale * 2.0 * params.factor * gradient;
}
