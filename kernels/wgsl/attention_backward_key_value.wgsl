// Gradients of attention with respect to keys and values, probabilities recomputed.
//
// Bindings  include_attention_backward_key_value.wgsl; all strategies have the same.
// Dispatch  one invocation per key token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · HEAD_VECTORS.
// Precision f32 arithmetic, matrices stored as Element, queries in order.
// Source    Dao et al. 2022, Dao 2023.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include attention_backward_key_value

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= live_count(params.tokens_count, params.tokens)) {
    return;
  }
  let own_k = k_at(token, head);
  let own_v = v_at(token, head);
  let range = bounds[token];

  var own_key: array<vec4<f32>, HEAD_VECTORS>;
  var own_value: array<vec4<f32>, HEAD_VECTORS>;
  var key_total: array<vec4<f32>, HEAD_VECTORS>;
  var value_total: array<vec4<f32>, HEAD_VECTORS>;
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    own_key[i] = vec4<f32>(k[own_k + i]) * params.scale;
    own_value[i] = vec4<f32>(v[own_v + i]);
    key_total[i] = vec4<f32>(0.0);
    value_total[i] = vec4<f32>(0.0);
  }
  for (var other = range.x; other < range.y; other++) {
    let base = context_at(other, head);
    let base_q = q_at(other, head);
    let other_statistics = statistics[other * params.heads + head];
    var scores = vec4<f32>(0.0);
    var weights = vec4<f32>(0.0);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      scores += own_key[i] * vec4<f32>(q[base_q + i]);
      weights += own_value[i] * vec4<f32>(d_context[base + i]);
    }
    let probability = exp(dot(scores, vec4<f32>(1.0)) - other_statistics.x);
    var factor = 1.0;
    if (HAS_DROPOUT) {
      let dropout_query = dropout_query_of(other, head);
      factor = dropout_factor_of(dropout_query, token - range.x);
    }
    let d_score = probability * (dot(weights, vec4<f32>(1.0)) * factor - other_statistics.y);
    let kept = probability * factor;
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      key_total[i] += d_score * vec4<f32>(q[base_q + i]);
      value_total[i] += kept * vec4<f32>(d_context[base + i]);
    }
  }
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    d_k[own_k + i] = vec4<Element>(key_total[i] * params.scale);
    write_d_value(own_v + i, value_total[i]);
  }
}
