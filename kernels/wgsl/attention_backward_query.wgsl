// Gradient of attention with respect to the queries, probabilities recomputed from the log-sum-exp.
//
// Shapes    d_context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column; d_q with those of q; statistics [tokens, heads] of (log-sum-exp, d_context ·
//           context); bounds [tokens] of (first, end) token of the token's own sequence.
// Writes    overwrites d_q, only its own columns.
// Dispatch  one invocation one query token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · HEAD_VECTORS.
// Precision f32 arithmetic, matrices stored as Element, keys in order.
// Source    Dao et al. 2022, Dao 2023.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const HEAD_VECTORS: u32 = 8
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
//@ include attention_params

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(4) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> d_q: array<vec4<Element>>;
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
  let own_statistics = statistics[token * params.heads + head];
  let key = dropout_key(step.seed, params.dropout_site, (step.begins.x + token) * params.heads + head);

  var query: array<vec4<f32>, HEAD_VECTORS>;
  var gradient: array<vec4<f32>, HEAD_VECTORS>;
  var total: array<vec4<f32>, HEAD_VECTORS>;
  for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
    query[i] = vec4<f32>(q[own_q + i]) * params.scale;
    gradient[i] = vec4<f32>(d_context[own + i]);
    total[i] = vec4<f32>(0.0);
  }
  for (var other = range.x; other < range.y; other++) {
    let base_k = other * params.k_stride + params.k_offset + head * HEAD_VECTORS;
    let base_v = other * params.v_stride + params.v_offset + head * HEAD_VECTORS;
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
        dropout_factor(key, other - range.x, params.dropout_threshold, params.dropout_keep_scale);
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
