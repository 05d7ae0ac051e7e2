// Gradient of attention with respect to the queries: FlashAttention-2 on matrix units.
//
// Bindings  include_attention_backward_query.wgsl; all strategies have the same.
// Dispatch  one workgroup per OWN query tokens of one head: ceil(tokens / OWN) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; tiles fit the device's workgroup memory; sequences lie in the
//           order of their tokens. More: the include.
// Precision what goes into a product (q, k, v, d_context, gradients of scores before the scale) is rounded to
//           Component; products sum in Sum, d_q in the units' matrices; probabilities, recomputed from the
//           log-sum-exp, and gradients of scores are computed in f32.
// Source    Dao 2023 (FlashAttention-2, arXiv 2307.08691), algorithm 2, apart from the gradients of keys and
//           values: those would need atomic additions to d_q, which give other bits every run.
//
// For each tile of keys: scores = queries · keysᵀ; gradients of probabilities = d_context · valuesᵀ; gradients
// of scores; d_q = d_q + gradients of scores · keys. Nothing is corrected, so d_q stays on the units.
//@ include attention_backward_query
//@ include attention_subgroup_matrix

const WEIGHT_PANELS: u32 = 1u;
const SUM_PANELS: u32 = 2u;
const SUM_COLUMNS: u32 = OTHER_ROWS;
// Panels of sums.
const SCORES: u32 = 0u;
const D_PROBABILITIES: u32 = 1u;

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  let first = tile.x * OWN;
  let live = live_count(params.tokens_count, params.tokens);
  if (first >= live) {
    return;
  }
  let last = min(first + OWN, live) - 1u;
  let head = tile.y;
  let row = invocation / LANES;
  let lane = invocation % LANES;
  let token = min(first + row, last);
  let sequence = bounds[token];
  let dropout_query = dropout_query_of(token, head);
  // Log-sum-exp, and the common term of the gradients of the query's probabilities.
  let own_statistics = statistics[token * params.heads + head];

  var total: Weighted;
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
      total[i * COLUMN_FRAGMENTS + c] = Sums();
    }
  }
  stage_own(first, last, head, invocation);
  // Bounds and sizes are read-only bindings, so control flow is uniform and all invocations reach every barrier.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    stage_others(begin, end, head, invocation);
    workgroupBarrier();
    dot_products(QUERIES, KEYS, SCORES, subgroup);
    dot_products(GRADIENTS, VALUES, D_PROBABILITIES, subgroup);
    workgroupBarrier();

    for (var turn = 0u; turn < OTHERS / LANES; turn++) {
      let j = turn * LANES + lane;
      let other = begin + j;
      let probability = exp(dot_product(SCORES, row, j) * params.scale - own_statistics.x);
      var d_probability = dot_product(D_PROBABILITIES, row, j);
      if (HAS_DROPOUT) {
        d_probability *= dropout_factor_of(dropout_query, other - sequence.x);
      }
      let d_score = probability * (d_probability - own_statistics.y);
      let meeting = other >= sequence.x && other < sequence.y;
      set_weight(0u, row, j, select(0.0, d_score, meeting));
    }
    workgroupBarrier();
    add_weighted(&total, 0u, KEYS, subgroup);
    workgroupBarrier();
  }

  for (var chunk = 0u; chunk < COLUMN_FRAGMENTS; chunk++) {
    store_chunk(&total, chunk, subgroup);
    workgroupBarrier();
    for (var i = invocation; i < OWN * SUBGROUPS_N * MATRIX_VECTORS; i += WORKGROUP_X) {
      let own = i / (SUBGROUPS_N * MATRIX_VECTORS);
      let across = (i / MATRIX_VECTORS) % SUBGROUPS_N;
      let vector = i % MATRIX_VECTORS;
      let column = across * SUBGROUP_VECTORS + chunk * MATRIX_VECTORS + vector;
      if (first + own <= last && column < HEAD_VECTORS) {
        d_q[q_at(first + own, head) + column] = vec4<Element>(sum_vector(own, across, vector) * params.scale);
      }
    }
    workgroupBarrier();
  }
}
