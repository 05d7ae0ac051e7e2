// Gradients of attention with respect to keys and values: FlashAttention-2 by tiles in workgroup memory.
//
// Bindings  include_attention_backward_key_value.wgsl; all strategies have the same.
// Dispatch  one workgroup per OWN = 4 · WORKGROUP_Y key tokens of one head: ceil(tokens / OWN) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; COLUMNS_EACH = ceil(HEAD_VECTORS / WORKGROUP_X); tiles fit
//           the device's workgroup memory; sequences lie in the order of their tokens.
// Precision f32 arithmetic, matrices stored as Element here and in the panels, queries in order;
//           probabilities recomputed from the log-sum-exp.
// Source    Dao 2023 (FlashAttention-2, arXiv 2307.08691), algorithm 2, apart from the gradient of queries,
//           which has a kernel of its own. Who computes which block: include_attention_workgroup.wgsl.
//
// For each tile of queries: scores = keys · queriesᵀ, and probabilities, which go through workgroup memory;
// d_v = d_v + probabilities · d_context; gradients of probabilities = values · d_contextᵀ, and of scores,
// which go the same way; d_k = d_k + gradients of scores · queries. Queries and d_context take turns in one
// panel, the queries twice: one load more is little beside four products over what it brings.
//@ include attention_backward_key_value
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

  var key_total = array<mat4x4<f32>, COLUMNS_EACH>();
  var value_total = array<mat4x4<f32>, COLUMNS_EACH>();
  stage_own(first, last, head, invocation);
  // Bounds and sizes are read-only bindings, so control flow is uniform and all invocations reach every barrier.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    let met = meets(rows, begin);
    stage_others(QUERIES, begin, end, head, invocation);
    workgroupBarrier();
    var probabilities = array<vec4<f32>, OTHERS_EACH>();
    var factors = array<vec4<f32>, OTHERS_EACH>();
    var common_parts = array<f32, OTHERS_EACH>();
    if (met) {
      let scores = dot_products(KEYS, x, y);
      for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
        let other = begin + j * WORKGROUP_X + x;
        let other_statistics = statistics[min(other, end - 1u) * params.heads + head];
        let probability = exp(scores[j] * params.scale - other_statistics.x);
        probabilities[j] = select(vec4<f32>(0.0), probability, within(rows, other));
        common_parts[j] = other_statistics.y;
        factors[j] = vec4<f32>(1.0);
        if (HAS_DROPOUT) {
          let query = dropout_query_of(other, head);
          factors[j] = dropout_factors_of(vec4<u32>(query), rows.tokens - rows.begins);
        }
        weights[(j * WORKGROUP_X + x) * WEIGHT_STRIDE + y] = probabilities[j] * factors[j];
      }
    }
    workgroupBarrier();

    stage_others(GRADIENTS, begin, end, head, invocation);
    workgroupBarrier();
    var d_scores = array<vec4<f32>, OTHERS_EACH>();
    if (met) {
      add_weighted(&value_total, x, y);
      let d_probabilities = dot_products(VALUES, x, y);
      for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
        d_scores[j] = probabilities[j] * (d_probabilities[j] * factors[j] - common_parts[j]);
      }
    }
    workgroupBarrier();

    stage_others(QUERIES, begin, end, head, invocation);
    if (met) {
      for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
        weights[(j * WORKGROUP_X + x) * WEIGHT_STRIDE + y] = d_scores[j];
      }
    }
    workgroupBarrier();
    if (met) {
      add_weighted(&key_total, x, y);
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) { //@ unroll
    let token = first + 4u * y + i;
    if (token <= last) {
      for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
        let column = c * WORKGROUP_X + x;
        if (column < HEAD_VECTORS) {
          d_k[k_at(token, head) + column] = vec4<Element>(key_total[c][i] * params.scale);
          write_d_value(v_at(token, head) + column, value_total[c][i]);
        }
      }
    }
  }
}
