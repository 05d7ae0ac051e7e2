// Gradients of attention with respect to keys and values: queries shared by a subgroup's lanes.
//
// Bindings  include_attention_backward_key_value.wgsl; all strategies have the same.
// Dispatch  one workgroup per LANES key tokens of one head: ceil(tokens / LANES) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; LOADS = ceil(HEAD_VECTORS / LANES); LANES is at most
//           subgroupMinSize; sequences lie in the order of their tokens.
// Precision f32 arithmetic, matrices stored as Element, queries in order; probabilities
//           recomputed from the log-sum-exp.
// Source    Dao et al. 2022, Dao 2023; lanes as in attention_forward_subgroup.
//@ const LANES: u32 = 8
//@ const LOADS: u32 = 1
//@ enable subgroups
//@ include attention_backward_key_value

// The head in vectors, rounded up to whole loads; what is beyond the head is never used.
const SLICES: u32 = LOADS * LANES;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first = tile.x * LANES;
  let live = live_count(params.tokens_count, params.tokens);
  if (first >= live) {
    return;
  }
  let last = min(first + LANES, live) - 1u;
  let token = min(first + lane, last);
  let head = tile.y;
  let range = bounds[token];

  var own_key: array<vec4<f32>, SLICES>;
  var own_value: array<vec4<f32>, SLICES>;
  var key_total: array<vec4<f32>, SLICES>;
  var value_total: array<vec4<f32>, SLICES>;
  // Not a constant number of iterations: drivers would unroll those and take long to compile.
  for (var other = 0u; other <= last - first; other++) {
    let base_k = k_at(first + other, head);
    let base_v = v_at(first + other, head);
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let slice = min(load * LANES + lane, HEAD_VECTORS - 1u);
      let own_k = vec4<f32>(k[base_k + slice]) * params.scale;
      let own_v = vec4<f32>(v[base_v + slice]);
      for (var i = 0u; i < LANES; i++) { //@ unroll
        own_key[load * LANES + i] =
          select(own_key[load * LANES + i], subgroupBroadcast(own_k, i), lane == other);
        own_value[load * LANES + i] =
          select(own_value[load * LANES + i], subgroupBroadcast(own_v, i), lane == other);
      }
    }
  }
  let end = bounds[last].y;
  for (var other = bounds[first].x; other < end; other++) {
    let base_q = q_at(other, head);
    let base = context_at(other, head);
    let other_statistics = statistics[other * params.heads + head];
    var own_q: array<vec4<f32>, LOADS>;
    var own_gradient: array<vec4<f32>, LOADS>;
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let slice = min(load * LANES + lane, HEAD_VECTORS - 1u);
      own_q[load] = vec4<f32>(q[base_q + slice]);
      own_gradient[load] = vec4<f32>(d_context[base + slice]);
    }
    var scores = vec4<f32>(0.0);
    var weights = vec4<f32>(0.0);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      scores += own_key[i] * subgroupBroadcast(own_q[i / LANES], i % LANES);
      weights += own_value[i] * subgroupBroadcast(own_gradient[i / LANES], i % LANES);
    }
    let within = other >= range.x && other < range.y;
    let probability = select(0.0, exp(dot(scores, vec4<f32>(1.0)) - other_statistics.x), within);
    var factor = 1.0;
    if (HAS_DROPOUT) {
      let dropout_query = dropout_query_of(other, head);
      factor = dropout_factor_of(dropout_query, token - range.x);
    }
    let d_score = probability * (dot(weights, vec4<f32>(1.0)) * factor - other_statistics.y);
    let kept = probability * factor;
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      key_total[i] += d_score * subgroupBroadcast(own_q[i / LANES], i % LANES);
      value_total[i] += kept * subgroupBroadcast(own_gradient[i / LANES], i % LANES);
    }
  }
  for (var other = 0u; other <= last - first; other++) {
    let base_k = k_at(first + other, head);
    let base_v = v_at(first + other, head);
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      var own_k = vec4<f32>(0.0);
      var own_v = vec4<f32>(0.0);
      for (var i = 0u; i < LANES; i++) { //@ unroll
        own_k = select(own_k, subgroupShuffle(key_total[load * LANES + i], other), lane == i);
        own_v = select(own_v, subgroupShuffle(value_total[load * LANES + i], other), lane == i);
      }
      let slice = load * LANES + lane;
      if (slice < HEAD_VECTORS) {
        d_k[base_k + slice] = vec4<Element>(own_k * params.scale);
        write_d_value(base_v + slice, own_v);
      }
    }
  }
}
