// Gradients of MarginMSE with respect to queries and candidates, times `factor` and the loss scale.
//
// With c_n = loss_scale · 2 · factor · row_weights[n] · errors[n], over the negatives n of a query q:
// d_q = Σ c_n (p - n); its positive d_p = Σ c_n q; d_n = -c_n q. See margin_mse_forward.wgsl.
//
// Shapes    queries, d_queries [queries, columns]; candidates, d_candidates [candidates, columns];
//           offsets [queries + 1]; row_weights, errors [candidates].
// Writes    overwrites the rows of all queries, positives and negatives, or accumulates into them (+=) when
//           ACCUMULATE_QUERIES and ACCUMULATE_CANDIDATES.
// Dispatch  one workgroup per query, its invocations stride over columns; up to 65,535 workgroups stride over more.
// Limits    columns is a multiple of 4. Every candidate is a positive or a negative of one query.
// Precision f32, negatives in order.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const ACCUMULATE_QUERIES: bool = false
//@ const ACCUMULATE_CANDIDATES: bool = false
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> candidates: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> row_weights: array<f32>;
@group(0) @binding(4) var<storage, read> errors: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_queries: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_candidates: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let width = params.columns / 4u;
  let rows = live_count(params.rows_count, params.rows);
  let scale = step.loss_scale * 2.0 * params.factor;
  for (var row = workgroup.x; row < rows; row += workgroups.x) {
    for (var column = local; column < width; column += WORKGROUP_SIZE) {
      let own = row * width + column;
      let query = queries[own];
      let positive = candidates[own];
      var gradient = vec4<f32>(0.0);
      var total = 0.0;
      for (var negative = offsets[row]; negative < offsets[row + 1u]; negative++) {
        let place = negative * width + column;
        let coefficient = scale * row_weights[negative] * errors[negative];
        gradient += coefficient * (positive - candidates[place]);
        total += coefficient;
        d_candidates[place] =
          select(vec4<f32>(0.0), d_candidates[place], ACCUMULATE_CANDIDATES) - coefficient * query;
      }
      d_queries[own] = select(vec4<f32>(0.0), d_queries[own], ACCUMULATE_QUERIES) + gradient;
      d_candidates[own] =
        select(vec4<f32>(0.0), d_candidates[own], ACCUMULATE_CANDIDATES) + total * query;
    }
  }
}
