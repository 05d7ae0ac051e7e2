// Scaled dot-product attention within packed sequences, with an online softmax: no T×T matrix.
//
// Shapes    context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column, so that the three may be one [tokens, 3 · heads · head size] bound three times;
//           bounds [tokens] of (first, end) token of the token's own sequence; log_sum_exp
//           [tokens, heads] of the scaled scores.
// Writes    overwrites context and log_sum_exp, which backward needs.
// Dispatch  one invocation one query token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · HEAD_VECTORS.
// Precision f32 arithmetic, matrices stored as Element, keys in order. Dropout
//           is on the probabilities, after the softmax.
// Source    Milakov & Gimelshein 2018 (online softmax); Dao et al. 2022 (log-sum-exp for backward).
//@ const WORKGROUP_SIZE: u32 = 64
//@ const HEAD_VECTORS: u32 = 8
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
//@ include attention_params

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> context: array<vec4<Element>>;
@group(0) @binding(5) var<storage, read_write> log_sum_exp: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= live_count(params.tokens_count, params.tokens)) {
    return;
  }
  let own = (token * params.heads + head) * HEAD_VECTORS;
  let own_q = token * params.q_stride + params.q_offset + head * HEAD_VECTORS;
  let range = bounds[token];
  let key = dropout_key(step.seed, params.dropout_site, (step.begins.x + token) * params.heads + head);

  var query: array<vec4<f32>, HEAD_VECTORS>;
  var total: array<vec4<f32>, HEAD_VECTORS>;
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    query[i] = vec4<f32>(q[own_q + i]) * params.scale;
    total[i] = vec4<f32>(0.0);
  }
  var maximum = -3.0e38;
  var denominator = 0.0;
  for (var other = range.x; other < range.y; other++) {
    let base_k = other * params.k_stride + params.k_offset + head * HEAD_VECTORS;
    let base_v = other * params.v_stride + params.v_offset + head * HEAD_VECTORS;
    var products = vec4<f32>(0.0);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      products += query[i] * vec4<f32>(k[base_k + i]);
    }
    let score = dot(products, vec4<f32>(1.0));
    let larger = max(maximum, score);
    let correction = exp(maximum - larger);
    let weight = exp(score - larger);
    maximum = larger;
    denominator = denominator * correction + weight;
    var kept = weight;
    if (HAS_DROPOUT) {
      kept *= dropout_factor(key, other - range.x, params.dropout_threshold, params.dropout_keep_scale);
    }
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      total[i] = total[i] * correction + kept * vec4<f32>(v[base_v + i]);
    }
  }
  let normalizer = 1.0 / denominator;
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    context[own + i] = vec4<Element>(total[i] * normalizer);
  }
  log_sum_exp[token * params.heads + head] = maximum + log(denominator);
}
