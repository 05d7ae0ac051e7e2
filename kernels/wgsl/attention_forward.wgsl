// Scaled dot-product attention within packed sequences, with an online softmax: no T×T matrix.
//
// Bindings  include_attention_forward.wgsl; all strategies have the same.
// Dispatch  one invocation per query token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · HEAD_VECTORS.
// Precision f32 arithmetic, matrices stored as Element, keys in order. Dropout
//           is on the probabilities, after the softmax.
// Source    Milakov & Gimelshein 2018 (online softmax); Dao et al. 2022 (log-sum-exp for backward).
//@ const WORKGROUP_SIZE: u32 = 64
//@ include attention_forward

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= live_count(params.tokens_count, params.tokens)) {
    return;
  }
  let own = context_at(token, head);
  let own_q = q_at(token, head);
  let range = bounds[token];
  let dropout_query = dropout_query_of(token, head);

  var query: array<vec4<f32>, HEAD_VECTORS>;
  var total: array<vec4<f32>, HEAD_VECTORS>;
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    query[i] = vec4<f32>(q[own_q + i]) * params.scale;
    total[i] = vec4<f32>(0.0);
  }
  var maximum = LOWEST;
  var denominator = 0.0;
  for (var other = range.x; other < range.y; other++) {
    let base_k = k_at(other, head);
    let base_v = v_at(other, head);
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
      kept *= dropout_factor_of(dropout_query, other - range.x);
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
