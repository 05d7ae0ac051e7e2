// Gradient of attention with respect to the queries: keys and values shared by a subgroup's lanes.
//
// Bindings  include_attention_backward_query.wgsl; all strategies have the same.
// Dispatch  one workgroup per LANES query tokens of one head: ceil(tokens / LANES) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; LOADS = ceil(HEAD_VECTORS / LANES); LANES is at most
//           subgroupMinSize; sequences lie in the order of their tokens.
// Precision f32 arithmetic, matrices stored as Element, keys in order; probabilities
//           recomputed from the log-sum-exp.
// Source    Dao et al. 2022, Dao 2023; lanes as in attention_forward_subgroup.
//@ const LANES: u32 = 8
//@ const LOADS: u32 = 1
//@ enable subgroups
//@ include attention_backward_query

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
  let own_statistics = statistics[token * params.heads + head];
  let dropout_query = dropout_query_of(token, head);

  var query: array<vec4<f32>, SLICES>;
  var gradient: array<vec4<f32>, SLICES>;
  var total: array<vec4<f32>, SLICES>;
  // Not a constant number of iterations: drivers would unroll those and take long to compile.
  for (var other = 0u; other <= last - first; other++) {
    let base_q = q_at(first + other, head);
    let base = context_at(first + other, head);
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let slice = min(load * LANES + lane, HEAD_VECTORS - 1u);
      let own_q = vec4<f32>(q[base_q + slice]) * params.scale;
      let own_gradient = vec4<f32>(d_context[base + slice]);
      for (var i = 0u; i < LANES; i++) { //@ unroll
        query[load * LANES + i] = select(query[load * LANES + i], subgroupBroadcast(own_q, i), lane == other);
        gradient[load * LANES + i] =
          select(gradient[load * LANES + i], subgroupBroadcast(own_gradient, i), lane == other);
      }
    }
  }
  let end = bounds[last].y;
  for (var other = bounds[first].x; other < end; other++) {
    let base_k = k_at(other, head);
    let base_v = v_at(other, head);
    var own_k: array<vec4<f32>, LOADS>;
    var own_v: array<vec4<f32>, LOADS>;
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let slice = min(load * LANES + lane, HEAD_VECTORS - 1u);
      own_k[load] = vec4<f32>(k[base_k + slice]);
      own_v[load] = vec4<f32>(v[base_v + slice]);
    }
    var scores = vec4<f32>(0.0);
    var weights = vec4<f32>(0.0);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      scores += query[i] * subgroupBroadcast(own_k[i / LANES], i % LANES);
      weights += gradient[i] * subgroupBroadcast(own_v[i / LANES], i % LANES);
    }
    let within = other >= range.x && other < range.y;
    let probability = select(0.0, exp(dot(scores, vec4<f32>(1.0)) - own_statistics.x), within);
    var d_probability = dot(weights, vec4<f32>(1.0));
    if (HAS_DROPOUT) {
      d_probability *=
        dropout_factor_of(dropout_query, other - range.x);
    }
    let d_score = probability * (d_probability - own_statistics.y);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      total[i] += d_score * subgroupBroadcast(own_k[i / LANES], i % LANES);
    }
  }
  for (var other = 0u; other <= last - first; other++) {
    let base = q_at(first + other, head);
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      var own = vec4<f32>(0.0);
      for (var i = 0u; i < LANES; i++) { //@ unroll
        own = select(own, subgroupShuffle(total[load * LANES + i], other), lane == i);
      }
      if (load * LANES + lane < HEAD_VECTORS) {
        d_q[base + load * LANES + lane] = vec4<Element>(own * params.scale);
      }
    }
  }
}
