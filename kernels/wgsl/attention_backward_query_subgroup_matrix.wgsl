// Gradient of attention with respect to the queries: FlashAttention-2 on matrix units.
//
// Shapes    d_context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column; d_q with those of q; statistics [tokens, heads] of (log-sum-exp, d_context ·
//           context); bounds [tokens] of (first, end) token of the token's own sequence.
// Writes    overwrites d_q, only its own columns.
// Dispatch  one workgroup OWN query tokens of one head: ceil(tokens / OWN) × heads.
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
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
//@ include attention_params
//@ include attention_subgroup_matrix

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(4) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> d_q: array<vec4<Element>>;
@group(1) @binding(0) var<uniform> params: Params;

const OWN_PANELS: u32 = 2u;
const WEIGHT_PANELS: u32 = 1u;
const SUM_PANELS: u32 = 2u;
const SUM_COLUMNS: u32 = OTHERS;
const QUERIES: u32 = 0u;
const GRADIENTS: u32 = 1u;
const KEYS: u32 = 0u;
const VALUES: u32 = 1u;
// Panels of sums.
const SCORES: u32 = 0u;
const D_PROBABILITIES: u32 = 1u;

fn own_vector(panel: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (panel == QUERIES) {
    return q[token * params.q_stride + params.q_offset + head * HEAD_VECTORS + column];
  }
  return d_context[(token * params.heads + head) * HEAD_VECTORS + column];
}

fn other_vector(panel: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (panel == KEYS) {
    return k[token * params.k_stride + params.k_offset + head * HEAD_VECTORS + column];
  }
  return v[token * params.v_stride + params.v_offset + head * HEAD_VECTORS + column];
}

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
  // Log-sum-exp, and what the gradients of the query's probabilities have in common.
  let own_statistics = statistics[token * params.heads + head];

  var total: Weighted;
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
      total[i * COLUMN_FRAGMENTS + c] = Sums();
    }
  }
  stage_own(first, last, head, invocation);
  // Bounds and sizes are bound read-only, so that all invocations go through the barriers together.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    stage_others(begin, end, head, invocation);
    workgroupBarrier();
    dot_products(QUERIES, KEYS, SCORES, subgroup);
    dot_products(GRADIENTS, VALUES, D_PROBABILITIES, subgroup);
    workgroupBarrier();

    for (var j = lane; j < OTHERS; j += LANES) {
      let other = begin + j;
      let at = row * SUM_STRIDE + j;
      let probability = exp(f32(sums[SCORES * SUM_PANEL + at]) * params.scale - own_statistics.x);
      var d_probability = f32(sums[D_PROBABILITIES * SUM_PANEL + at]);
      if (HAS_DROPOUT) {
        d_probability *= dropout_factor_of(dropout_query, other - sequence.x);
      }
      let d_score = probability * (d_probability - own_statistics.y);
      let meeting = other >= sequence.x && other < sequence.y;
      weights[row * WEIGHT_STRIDE + j] = Component(select(0.0, d_score, meeting));
    }
    workgroupBarrier();
    add_weighted(&total, 0u, KEYS, subgroup);
    workgroupBarrier();
  }

  for (var chunk = 0u; chunk < COLUMN_FRAGMENTS; chunk++) {
    store_chunk(&total, chunk, 0u, subgroup);
    workgroupBarrier();
    for (var i = invocation; i < OWN * (CHUNK / 4u); i += WORKGROUP_X) {
      let own = i / (CHUNK / 4u);
      let vector = i % (CHUNK / 4u);
      let column = chunk * (CHUNK / 4u) + vector;
      if (first + own <= last && column < HEAD_VECTORS) {
        d_q[(first + own) * params.q_stride + params.q_offset + head * HEAD_VECTORS + column] =
          vec4<Element>(sum_vector(own, 4u * vector) * params.scale);
      }
    }
    workgroupBarrier();
  }
}
