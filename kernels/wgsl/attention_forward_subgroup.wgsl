// Scaled dot-product attention within packed sequences: keys and values shared by a subgroup's lanes.
//
// Bindings  include_attention_forward.wgsl; all strategies have the same.
// Dispatch  one workgroup per LANES query tokens of one head: ceil(tokens / LANES) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; LOADS = ceil(HEAD_VECTORS / LANES); LANES is at most
//           subgroupMinSize; sequences lie in the order of their tokens.
// Precision f32 arithmetic, matrices stored as Element, keys in order. Dropout
//           is on the probabilities, after the softmax.
// Source    Milakov & Gimelshein 2018 (online softmax); Dao et al. 2022 (log-sum-exp for backward).
//
// Each lane loads a slice of a key (and value) and passes it to the others, which have other queries
// of the same head: devices that load lane by lane then load, and compile, a fraction of what
// attention_forward does. The keys are those of all sequences that the queries belong to; a query
// ignores those of other sequences.
//@ const LANES: u32 = 8
//@ const LOADS: u32 = 1
//@ enable subgroups
//@ include attention_forward

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
  let dropout_query = dropout_query_of(token, head);

  var query: array<vec4<f32>, SLICES>;
  var total: array<vec4<f32>, SLICES>;
  // Not a constant number of iterations: drivers would unroll those and take long to compile.
  for (var other = 0u; other <= last - first; other++) {
    let base = q_at(first + other, head);
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let own = vec4<f32>(q[base + min(load * LANES + lane, HEAD_VECTORS - 1u)]) * params.scale;
      for (var i = 0u; i < LANES; i++) { //@ unroll
        query[load * LANES + i] = select(query[load * LANES + i], subgroupBroadcast(own, i), lane == other);
      }
    }
  }
  var maximum = LOWEST;
  var denominator = 0.0;
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
    var products = vec4<f32>(0.0);
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      products += query[i] * subgroupBroadcast(own_k[i / LANES], i % LANES);
    }
    let within = other >= range.x && other < range.y;
    let score = dot(products, vec4<f32>(1.0));
    let larger = select(maximum, max(maximum, score), within);
    let correction = exp(maximum - larger);
    let weight = select(0.0, exp(score - larger), within);
    maximum = larger;
    denominator = denominator * correction + weight;
    var kept = weight;
    if (HAS_DROPOUT) {
      kept *= dropout_factor_of(dropout_query, other - range.x);
    }
    for (var i = 0u; i < HEAD_VECTORS; i++) { //@ unroll
      total[i] = total[i] * correction + kept * subgroupBroadcast(own_v[i / LANES], i % LANES);
    }
  }
  let normalizer = 1.0 / denominator;
  for (var other = 0u; other <= last - first; other++) {
    let base = context_at(first + other, head);
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      var own = vec4<f32>(0.0);
      for (var i = 0u; i < LANES; i++) { //@ unroll
        own = select(own, subgroupShuffle(total[load * LANES + i] * normalizer, other), lane == i);
      }
      if (load * LANES + lane < HEAD_VECTORS) {
        context[base + load * LANES + lane] = vec4<Element>(own);
      }
    }
  }
  if (first + lane <= last) {
    log_sum_exp[token * params.heads + head] = maximum + log(denominator);
  }
}
