// MarginMSE: squared error of each query's margins, positive over its own negatives, against a teacher's.
//
// errors[n] = q · (p - n) - margins[n] for the negatives n of query q; loss[n] = row_weights[n] · errors[n]².
// The negatives of query i are candidates offsets[i] … offsets[i + 1] - 1; its positive is candidate i.
//
// Shapes    queries [queries, columns]; candidates [candidates, columns]; offsets [queries + 1];
//           margins, row_weights, errors, loss [candidates].
// Writes    overwrites errors and loss of the positives, which have none (0), and of all negatives.
// Dispatch  one workgroup per query, one invocation per negative, in turn; up to 65,535 workgroups stride over more.
// Limits    columns is a multiple of 4. A negative of weight 0 has error 0 whatever its margin holds.
// Precision f32.
// Source    Hofstätter et al. 2020 (arXiv 2010.02666).
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> candidates: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> margins: array<f32>;
@group(0) @binding(4) var<storage, read> row_weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> errors: array<f32>;
@group(0) @binding(6) var<storage, read_write> loss: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let width = params.columns / 4u;
  let rows = live_count(params.rows_count, params.rows);
  for (var query = workgroup.x; query < rows; query += workgroups.x) {
    let base = query * width;
    if (local == 0u) {
      errors[query] = 0.0;
      loss[query] = 0.0;
    }
    for (var negative = offsets[query] + local; negative < offsets[query + 1u]; negative += WORKGROUP_SIZE) {
      let weight = row_weights[negative];
      var error = 0.0;
      if (weight != 0.0) {
        var products = vec4<f32>(0.0);
        for (var i = 0u; i < width; i++) {
          products += queries[base + i] * (candidates[base + i] - candidates[negative * width + i]);
        }
        error = dot(products, vec4<f32>(1.0)) - margins[negative];
      }
      errors[negative] = error;
      loss[negative] = weight * error * error;
    }
  }
}
