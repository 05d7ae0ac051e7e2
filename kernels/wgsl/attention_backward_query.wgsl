// Gradient of attention with respect to the queries, probabilities recomputed from the log-sum-exp.
//
// Bindings  include_attention_backward_query.wgsl; all strategies have the same.
// Dispatch  one invocation per query token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · HEAD_VECTORS.
// Precision f32 arithmetic, matrices stored as Element, keys in order.
// Source    Dao et al. 2022, Dao 2023.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include attention_backward_query

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
  let own_statistics = statistics[token * params.heads + head];
  let dropout_query = dropout_query_of(token, head);

  var query: array<vec4<f32>, HEAD_VECTORS>;
  var gradient: array<vec4<f32>, HEAD_VECTORS>;
  var total: array<vec4<f32>, HEAD_VECTORS>;
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    query[i] = vec4<f32>(q[own_q + i]) * params.scale;
    gradient[i] = vec4<f32>(d_context[own + i]);
    total[i] = vec4<f32>(0.0);
  }
  for (var other = range.x; other < range.y; other++) {
    let base_k = k_at(other, head);
    let base_v = v_at(other, head);
    var scores = vec4<f32>(0.0);
    var weights = vec4<f32>(0.0);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      scores += query[i] * vec4<f32>(k[base_k + i]);
      weights += gradient[i] * vec4<f32>(v[base_v + i]);
    }
    let probability = exp(dot(scores, vec4<f32>(1.0)) - own_statistics.x);
    var d_probability = dot(weights, vec4<f32>(1.0));
    if (HAS_DROPOUT) {
      d_probability *=
        dropout_factor_of(dropout_query, other - range.x);
    }
    let d_score = probability * (d_probability - own_statistics.y);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      total[i] += d_score * vec4<f32>(k[base_k + i]);
    }
  }
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    d_q[own_q + i] = vec4<Element>(total[i] * params.scale);
  }
}
