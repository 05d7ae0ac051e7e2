// Gradient of attention with respect to the queries: FlashAttention-2 by tiles in workgroup memory.
//
// Bindings  include_attention_backward_query.wgsl; all strategies have the same.
// Dispatch  one workgroup per OWN = 4 · WORKGROUP_Y query tokens of one head: ceil(tokens / OWN) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; COLUMNS_EACH = ceil(HEAD_VECTORS / WORKGROUP_X); tiles fit
//           the device's workgroup memory; sequences lie in the order of their tokens.
// Precision f32 arithmetic, matrices stored as Element here and in the panels, keys in order; probabilities
//           recomputed from the log-sum-exp.
// Source    Dao 2023 (FlashAttention-2, arXiv 2307.08691), algorithm 2, apart from the gradients of keys and
//           values: those would need atomic additions to d_q, which give other bits every run. Who computes
//           which block: include_attention_workgroup.wgsl.
//
// For each tile of keys: gradients of probabilities = d_context · valuesᵀ; scores = queries · keysᵀ, and
// gradients of scores, which go through workgroup memory; d_q = d_q + gradients of scores · keys. Values come
// first, so that the keys stay in the one panel for both uses.
//@ include attention_backward_query
//@ include attention_workgroup

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_id) place: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let first = tile.x * OWN;
  let live = live_count(params.tokens_count, params.tokens);
  if (first >= live) {
    return;
  }
  let last = min(first + OWN, live) - 1u;
  let head = tile.y;
  let x = place.x;
  let y = place.y;
  let rows = own_rows(first, last, y);
  let dropout_queries = dropout_queries_of(rows.tokens, head);
  // Columns: four queries; rows: log-sum-exp and the common term of their probabilities' gradients.
  let own_statistics = transpose(mat4x2<f32>(
    statistics[rows.tokens.x * params.heads + head],
    statistics[rows.tokens.y * params.heads + head],
    statistics[rows.tokens.z * params.heads + head],
    statistics[rows.tokens.w * params.heads + head],
  ));

  var total = array<mat4x4<f32>, COLUMNS_EACH>();
  stage_own(first, last, head, invocation);
  // Bounds and sizes are read-only bindings, so control flow is uniform and all invocations reach every barrier.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    let met = meets(rows, begin);
    stage_others(VALUES, begin, end, head, invocation);
    workgroupBarrier();
    var d_probabilities = array<vec4<f32>, OTHERS_EACH>();
    if (met) {
      d_probabilities = dot_products(GRADIENTS, x, y);
    }
    workgroupBarrier();

    stage_others(KEYS, begin, end, head, invocation);
    workgroupBarrier();
    if (met) {
      let scores = dot_products(QUERIES, x, y);
      for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
        let other = begin + j * WORKGROUP_X + x;
        let probability = exp(scores[j] * params.scale - own_statistics[0]);
        var d_probability = d_probabilities[j];
        if (HAS_DROPOUT) {
          d_probability *= dropout_factors_of(dropout_queries, other - rows.begins);
        }
        let d_score = probability * (d_probability - own_statistics[1]);
        weights[(j * WORKGROUP_X + x) * WEIGHT_STRIDE + y] =
          select(vec4<f32>(0.0), d_score, within(rows, other));
      }
    }
    workgroupBarrier();
    if (met) {
      add_weighted(&total, x, y);
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) { //@ unroll
    let token = first + 4u * y + i;
    if (token <= last) {
      for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
        let column = c * WORKGROUP_X + x;
        if (column < HEAD_VECTORS) {
          d_q[q_at(token, head) + column] = vec4<Element>(total[c][i] * params.scale);
        }
      }
    }
  }
}
