// Gradients of attention with respect to keys and values, probabilities recomputed.
//
// Shapes    d_context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column; d_k and d_v with those of k and v; statistics [tokens, heads] of (log-sum-exp,
//           d_context · context) of each query; bounds [tokens] of (first, end) token of the token's
//           own sequence. With JOINT both gradients go into d_k and d_v is not touched: one buffer
//           cannot be bound as two outputs.
// Writes    overwrites d_k and d_v, only their own columns.
// Dispatch  one invocation one key token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · HEAD_VECTORS.
// Precision f32 arithmetic, matrices stored as Element, queries in order.
// Source    Dao et al. 2022, Dao 2023.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const HEAD_VECTORS: u32 = 8
//@ const HAS_DROPOUT: bool = false
//@ const JOINT: bool = false
//@ type Element: f32 | f16
//@ include attention_params

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(4) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> d_k: array<vec4<Element>>;
@group(0) @binding(7) var<storage, read_write> d_v: array<vec4<Element>>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= live_count(params.tokens_count, params.tokens)) {
    return;
  }
  let own_k = token * params.k_stride + params.k_offset + head * HEAD_VECTORS;
  let own_v = token * params.v_stride + params.v_offset + head * HEAD_VECTORS;
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
    let base = (other * params.heads + head) * HEAD_VECTORS;
    let base_q = other * params.q_stride + params.q_offset + head * HEAD_VECTORS;
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
      let key = dropout_key(step.seed, params.dropout_site, (step.begins.x + other) * params.heads + head);
      factor = dropout_factor(key, token - range.x, params.dropout_threshold, params.dropout_keep_scale);
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
    if (JOINT) {
      d_k[own_v + i] = vec4<Element>(value_total[i]);
    } else {
      d_v[own_v + i] = vec4<Element>(value_total[i]);
    }
  }
}
