// Scaled dot-product attention within packed sequences: FlashAttention-2 on matrix units.
//
// Bindings  include_attention_forward.wgsl; all strategies have the same.
// Dispatch  one workgroup per OWN query tokens of one head: ceil(tokens / OWN) × heads.
// Limits    the head size is 4 · HEAD_VECTORS; COLUMNS_EACH = ceil(HEAD_VECTORS / LANES); tiles fit the
//           device's workgroup memory; sequences lie in the order of their tokens. More: the include.
// Precision q, k, v and the probabilities relative to the largest one so far are rounded to Component for
//           the products, which sum in Sum; softmax, denominators and the context between tiles are f32.
//           Dropout is on the probabilities, after the softmax.
// Source    Dao 2023 (FlashAttention-2, arXiv 2307.08691), algorithm 1.
//
// For each tile of keys: scores = queries · keysᵀ; the largest of each row, running; probabilities relative
// to it; context = context · correction + probabilities · values. A matrix of the units cannot be corrected
// row by row, so the context is kept in ordinary registers and each tile's product comes to it through
// workgroup memory. (A first pass over the keys that finds the largest scores would leave nothing to correct in
// a second, but cost a third of the products more, and load the keys and compute every exponential twice.)
//@ const COLUMNS_EACH: u32 = 8
//@ include attention_forward
//@ include attention_subgroup_matrix

const WEIGHT_PANELS: u32 = 1u;
const SUM_PANELS: u32 = 1u;
// Scores of a tile, then its part of the context.
const SUM_COLUMNS: u32 = max(OTHER_ROWS, SUBGROUP_COLUMNS);
// An invocation's largest score; in the end, its share of the denominator.
var<workgroup> shares: array<f32, WORKGROUP_X>;

// Puts what was weighted into the blocks of the sums.
fn store_weighted(total: ptr<function, Weighted>, subgroup: u32) {
  for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
    for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
      subgroupMatrixStore<row_major>(
        &sums[subgroup % SUBGROUPS],
        i * MATRIX_M * SUM_STRIDE + c * MATRIX_N,
        (*total)[i * COLUMN_FRAGMENTS + c],
        SUM_STRIDE);
    }
  }
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  let first = tile.x * OWN;
  let live = live_count(params.tokens_count, params.tokens);
  if (first >= live) {
    return;
  }
  let last = min(first + OWN, live) - 1u;
  let head = tile.y;
  let row = invocation / LANES;
  let lane = invocation % LANES;
  let token = min(first + row, last);
  let sequence = bounds[token];
  let dropout_query = dropout_query_of(token, head);

  var total = array<vec4<f32>, COLUMNS_EACH>();
  var largest = LOWEST;
  var denominator = 0.0;
  stage_own(first, last, head, invocation);
  // Bounds and sizes are read-only bindings, so control flow is uniform and all invocations reach every barrier.
  let end = bounds[last].y;
  for (var begin = bounds[first].x; begin < end; begin += OTHERS) {
    stage_others(begin, end, head, invocation);
    workgroupBarrier();
    dot_products(QUERIES, KEYS, 0u, subgroup);
    workgroupBarrier();

    var own_largest = LOWEST;
    for (var turn = 0u; turn < OTHERS / LANES; turn++) {
      let j = turn * LANES + lane;
      let meeting = begin + j >= sequence.x && begin + j < sequence.y;
      let score = dot_product(0u, row, j) * params.scale;
      own_largest = max(own_largest, select(LOWEST, score, meeting));
    }
    shares[invocation] = own_largest;
    workgroupBarrier();

    var larger = largest;
    for (var i = 0u; i < LANES; i++) {
      larger = max(larger, shares[row * LANES + i]);
    }
    let correction = exp(largest - larger);
    largest = larger;
    denominator *= correction;
    for (var turn = 0u; turn < OTHERS / LANES; turn++) {
      let j = turn * LANES + lane;
      let meeting = begin + j >= sequence.x && begin + j < sequence.y;
      let score = dot_product(0u, row, j) * params.scale;
      var weight = select(0.0, exp(score - larger), meeting);
      denominator += weight;
      if (HAS_DROPOUT) {
        weight *= dropout_factor_of(dropout_query, begin + j - sequence.x);
      }
      set_weight(0u, row, j, weight);
    }
    workgroupBarrier();

    var part: Weighted;
    for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
      for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
        part[i * COLUMN_FRAGMENTS + c] = Sums();
      }
    }
    add_weighted(&part, 0u, VALUES, subgroup);
    store_weighted(&part, subgroup);
    workgroupBarrier();
    for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
      let column = min(c * LANES + lane, HEAD_VECTORS - 1u);
      let added = sum_vector(row, column / SUBGROUP_VECTORS, column % SUBGROUP_VECTORS);
      total[c] = total[c] * correction + added;
    }
  }

  // What was shared last has been read: barriers of the last tile are between.
  shares[invocation] = denominator;
  workgroupBarrier();
  denominator = 0.0;
  for (var i = 0u; i < LANES; i++) {
    denominator += shares[row * LANES + i];
  }
  if (first + row <= last) {
    for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
      let column = c * LANES + lane;
      if (column < HEAD_VECTORS) {
        context[context_at(token, head) + column] = vec4<Element>(total[c] / denominator);
      }
    }
    if (lane == 0u) {
      log_sum_exp[token * params.heads + head] = largest + log(denominator);
    }
  }
}
