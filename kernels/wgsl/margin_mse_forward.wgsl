// MarginMSE: squared error of each query's margins, positive over its own negatives, against a teacher's.
//
// error_n = (s_qp - s_qn) - margins[n] for the negatives n of query q; loss_q = sum of weights[n] · error_n².
// The negatives of query q are candidates offsets[q] … offsets[q + 1] - 1; its positive is candidate q.
//
// Shapes    similarity [queries, candidates]; offsets [queries + 1]; margins, row_weights [candidates];
//           loss [queries].
// Writes    overwrites loss.
// Dispatch  one invocation a query; ceil(queries / WORKGROUP_SIZE) workgroups.
// Precision f32, negatives in order.
// Source    Hofstätter et al. 2020 (arXiv 2010.02666).
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  queries: u32,
  queries_count: u32,
  candidates: u32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> margins: array<f32>;
@group(0) @binding(3) var<storage, read> row_weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let query = id.x;
  if (query >= live_count(params.queries_count, params.queries)) {
    return;
  }
  let base = query * params.candidates;
  var sum = 0.0;
  for (var negative = offsets[query]; negative < offsets[query + 1u]; negative++) {
    let error = similarity[base + query] - similarity[base + negative] - margins[negative];
    sum += row_weights[negative] * error * error;
  }
  loss[query] = sum;
}
