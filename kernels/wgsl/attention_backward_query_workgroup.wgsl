// Gradient of attention with respect to the queries: FlashAttention-2 by tiles in workgroup memory.
//
// Shapes    d_context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column; d_q with those of q; statistics [tokens, heads] of (log-sum-exp, d_context ·
//           context); bounds [tokens] of (first, end) token of the token's own sequence.
// Writes    overwrites d_q, only its own columns.
// Dispatch  one workgroup OWN = 4 · WORKGROUP_Y query tokens of one head: ceil(tokens / OWN) × heads.
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
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
//@ include attention_params
//@ include attention_workgroup

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(4) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> d_q: array<vec4<Element>>;
@group(1) @binding(0) var<uniform> params: Params;

const OWN_PANELS: u32 = 2u;
const QUERIES: u32 = 0u;
const GRADIENTS: u32 = 1u;
const KEYS: u32 = 0u;
const VALUES: u32 = 1u;

fn own_vector(panel: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (panel == QUERIES) {
    return q[token * params.q_stride + params.q_offset + head * HEAD_VECTORS + column];
  }
  return d_context[(token * params.heads + head) * HEAD_VECTORS + column];
}

fn other_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (matrix == KEYS) {
    return k[token * params.k_stride + params.k_offset + head * HEAD_VECTORS + column];
  }
  return v[token * params.v_stride + params.v_offset + head * HEAD_VECTORS + column];
}

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
  // Columns: four queries; rows: log-sum-exp and what the gradients of their probabilities have in common.
  let own_statistics = transpose(mat4x2<f32>(
    statistics[rows.tokens.x * params.heads + head],
    statistics[rows.tokens.y * params.heads + head],
    statistics[rows.tokens.z * params.heads + head],
    statistics[rows.tokens.w * params.heads + head],
  ));

  var total = array<mat4x4<f32>, COLUMNS_EACH>();
  stage_own(first, last, head, invocation);
  // Bounds and sizes are bound read-only, so that all invocations go through the barriers together.
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
          d_probability *= dropout_factors(dropout_queries, other - rows.begins);
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
          d_q[token * params.q_stride + params.q_offset + head * HEAD_VECTORS + column] =
            vec4<Element>(total[c][i] * params.scale);
        }
      }
    }
  }
}
