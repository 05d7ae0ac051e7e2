// Gradients of attention with respect to keys and values: FlashAttention-2 on matrix units.
//
// Bindings  include_attention_backward_key_value.wgsl; all strategies have the same.
// Dispatch  one workgroup per OWN key tokens of one head: ceil(tokens / OWN) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; tiles fit the device's workgroup memory; sequences lie in the
//           order of their tokens. More: the include.
// Precision what goes into a product (q, k, v, d_context, probabilities, gradients of scores before the scale)
//           is rounded to Component; products sum in Sum, d_k and d_v in the units' matrices; probabilities,
//           recomputed from the log-sum-exp, and gradients of scores are computed in f32.
// Source    Dao 2023 (FlashAttention-2, arXiv 2307.08691), algorithm 2, apart from the gradient of queries,
//           which has a kernel of its own.
//
// For each tile of queries: scores = keys · queriesᵀ; gradients of probabilities = values · d_contextᵀ;
// probabilities and gradients of scores; d_v = d_v + probabilities · d_context; d_k = d_k + gradients of
// scores · queries. Nothing is corrected, so both stay on the units.
//@ include attention_backward_key_value
//@ include attention_subgroup_matrix

const WEIGHT_PANELS: u32 = 2u;
const SUM_PANELS: u32 = 2u;
const SUM_COLUMNS: u32 = OTHER_ROWS;
// Panels of sums, then of weights.
const SCORES: u32 = 0u;
const D_PROBABILITIES: u32 = 1u;
const PROBABILITIES: u32 = 0u;
const D_SCORES: u32 = 1u;

// How many of a tile's queries an invocation brings the statistics of.
const STATISTICS_TURNS: u32 = (OTHERS + WORKGROUP_X - 1u) / WORKGROUP_X;
// Of each query of a tile: the log-sum-exp and the common term of its probabilities' gradients; its dropout key.
var<workgroup> query_statistics: array<vec2<f32>, OTHERS>;
var<workgroup> dropout_queries: array<u32, OTHERS>;

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

  var key_total: Weighted;
  var value_total: Weighted;
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
      key_total[i * COLUMN_FRAGMENTS + c] = Sums();
      value_total[i * COLUMN_FRAGMENTS + c] = Sums();
    }
  }
  stage_own(first, last, head, invocation);
  // Bounds and sizes are read-only bindings, so control flow is uniform and all invocations reach every barrier.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    stage_others(begin, end, head, invocation);
    for (var turn = 0u; turn < STATISTICS_TURNS; turn++) {
      let j = turn * WORKGROUP_X + invocation;
      if (j < OTHERS) {
        let query = min(begin + j, end - 1u);
        query_statistics[j] = statistics[query * params.heads + head];
        if (HAS_DROPOUT) {
          dropout_queries[j] = dropout_query_of(query, head);
        }
      }
    }
    workgroupBarrier();
    dot_products(KEYS, QUERIES, SCORES, subgroup);
    dot_products(VALUES, GRADIENTS, D_PROBABILITIES, subgroup);
    workgroupBarrier();

    for (var turn = 0u; turn < OTHERS / LANES; turn++) {
      let j = turn * LANES + lane;
      let meeting = begin + j >= sequence.x && begin + j < sequence.y;
      let score = dot_product(SCORES, row, j) * params.scale;
      let probability = select(0.0, exp(score - query_statistics[j].x), meeting);
      var factor = 1.0;
      if (HAS_DROPOUT) {
        factor = dropout_factor_of(dropout_queries[j], token - sequence.x);
      }
      let d_probability = dot_product(D_PROBABILITIES, row, j) * factor;
      let d_score = probability * (d_probability - query_statistics[j].y);
      set_weight(PROBABILITIES, row, j, probability * factor);
      set_weight(D_SCORES, row, j, d_score);
    }
    workgroupBarrier();
    add_weighted(&value_total, PROBABILITIES, GRADIENTS, subgroup);
    add_weighted(&key_total, D_SCORES, QUERIES, subgroup);
    workgroupBarrier();
  }

  for (var chunk = 0u; chunk < COLUMN_FRAGMENTS; chunk++) {
    store_chunk(&key_total, chunk, subgroup);
    workgroupBarrier();
    for (var i = invocation; i < OWN * SUBGROUPS_N * MATRIX_VECTORS; i += WORKGROUP_X) {
      let own = i / (SUBGROUPS_N * MATRIX_VECTORS);
      let across = (i / MATRIX_VECTORS) % SUBGROUPS_N;
      let vector = i % MATRIX_VECTORS;
      let column = across * SUBGROUP_VECTORS + chunk * MATRIX_VECTORS + vector;
      if (first + own <= last && column < HEAD_VECTORS) {
        d_k[k_at(first + own, head) + column] = vec4<Element>(sum_vector(own, across, vector) * params.scale);
      }
    }
    workgroupBarrier();
    store_chunk(&value_total, chunk, subgroup);
    workgroupBarrier();
    for (var i = invocation; i < OWN * SUBGROUPS_N * MATRIX_VECTORS; i += WORKGROUP_X) {
      let own = i / (SUBGROUPS_N * MATRIX_VECTORS);
      let across = (i / MATRIX_VECTORS) % SUBGROUPS_N;
      let vector = i % MATRIX_VECTORS;
      let column = across * SUBGROUP_VECTORS + chunk * MATRIX_VECTORS + vector;
      if (first + own <= last && column < HEAD_VECTORS) {
        write_d_value(v_at(first + own, head) + column, sum_vector(own, across, vector));
      }
    }
    workgroupBarrier();
  }
}
