// Scaled dot-product attention within packed sequences: FlashAttention-2 by tiles in workgroup memory.
//
// Bindings  include_attention_forward.wgsl; all strategies have the same.
// Dispatch  one workgroup per OWN = 4 · WORKGROUP_Y query tokens of one head: ceil(tokens / OWN) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; COLUMNS_EACH = ceil(HEAD_VECTORS / WORKGROUP_X); tiles fit
//           the device's workgroup memory; sequences lie in the order of their tokens.
// Precision f32 arithmetic, matrices stored as Element here and in the panels, keys in order but for the
//           denominator, which is summed a column of the grid each, then over the columns. Dropout is on
//           the probabilities, after the softmax.
// Source    Dao 2023 (FlashAttention-2, arXiv 2307.08691), algorithm 1: the context is divided once, at the
//           end. What differs, and who computes which block: include_attention_workgroup.wgsl.
//
// For each tile of keys: scores = queries · keysᵀ; the largest of each row, running; probabilities relative
// to it, which go through workgroup memory; context = context · correction + probabilities · values. Keys and
// values take turns in one panel.
//@ include attention_forward
//@ include attention_workgroup

// Four own rows of each invocation: the largest of its scores; in the end, its share of the denominator.
var<workgroup> shares: array<vec4<f32>, INVOCATIONS>;

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

  var total = array<mat4x4<f32>, COLUMNS_EACH>();
  var largest = vec4<f32>(LOWEST);
  var denominator = vec4<f32>(0.0);
  stage_own(first, last, head, invocation);
  // Bounds and sizes are read-only bindings, so control flow is uniform and all invocations reach every barrier.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    let met = meets(rows, begin);
    stage_others(KEYS, begin, end, head, invocation);
    workgroupBarrier();

    var scores = array<vec4<f32>, OTHERS_EACH>();
    var own_largest = vec4<f32>(LOWEST);
    if (met) {
      scores = dot_products(0u, x, y);
      for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
        let meeting = within(rows, begin + j * WORKGROUP_X + x);
        scores[j] = select(vec4<f32>(LOWEST), scores[j] * params.scale, meeting);
        own_largest = max(own_largest, scores[j]);
      }
    }
    shares[invocation] = own_largest;
    workgroupBarrier();

    // The keys have served.
    stage_others(VALUES, begin, end, head, invocation);
    if (met) {
      var larger = largest;
      for (var i = 0u; i < WORKGROUP_X; i++) { //@ unroll
        larger = max(larger, shares[y * WORKGROUP_X + i]);
      }
      let correction = exp(largest - larger);
      largest = larger;
      denominator *= correction;
      for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
        total[c] = mat4x4<f32>(
          total[c][0] * correction.x,
          total[c][1] * correction.y,
          total[c][2] * correction.z,
          total[c][3] * correction.w,
        );
      }
      for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
        let other = begin + j * WORKGROUP_X + x;
        var weight = select(vec4<f32>(0.0), exp(scores[j] - larger), within(rows, other));
        denominator += weight;
        if (HAS_DROPOUT) {
          weight *= dropout_factors_of(dropout_queries, other - rows.begins);
        }
        weights[(j * WORKGROUP_X + x) * WEIGHT_STRIDE + y] = weight;
      }
    }
    workgroupBarrier();

    if (met) {
      add_weighted(&total, x, y);
    }
    workgroupBarrier();
  }

  shares[invocation] = denominator;
  workgroupBarrier();
  denominator = vec4<f32>(0.0);
  for (var i = 0u; i < WORKGROUP_X; i++) { //@ unroll
    denominator += shares[y * WORKGROUP_X + i];
  }
  for (var i = 0u; i < 4u; i++) { //@ unroll
    let token = first + 4u * y + i;
    if (token <= last) {
      for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
        let column = c * WORKGROUP_X + x;
        if (column < HEAD_VECTORS) {
          context[context_at(token, head) + column] = vec4<Element>(total[c][i] / denominator[i]);
        }
      }
      if (x == 0u) {
        log_sum_exp[token * params.heads + head] = largest[i] + log(denominator[i]);
      }
    }
  }
}
