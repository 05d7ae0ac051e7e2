// Included by `//@ include attention_subgroup_matrix`: attention by tiles, its products on matrix units.
//
// A workgroup owns OWN rows of one head (queries; for the gradients of keys and values, keys) and goes over
// the other rows that they meet, OTHERS at a time. Two kinds of products, both of panels in workgroup memory:
// - `dot_products`: own rows · other rowsᵀ, [OWN, OTHERS], which go to `sums` as the units made them;
// - `add_weighted`: weights [OWN, OTHERS] · other rows, [OWN, COLUMNS], which stay in the units' matrices.
// The SUBGROUPS_M × SUBGROUPS_N subgroups share either out: a subgroup has OWN_FRAGMENTS matrices of MATRIX_M
// rows by OTHER_FRAGMENTS or COLUMN_FRAGMENTS matrices of MATRIX_N columns, all of them neighbours.
//
// Between the two, what is not a product (softmax, dropout, sequences) is done in f32 by LANES invocations a
// row: invocation i has row i / LANES, columns i % LANES, + LANES, … What they make of a tile, the weights,
// is rounded to Component, as the units want it. Elements of a matrix of the units have no known place in the
// invocations, so what is needed of one by row or column goes through workgroup memory.
//
// MATRIX_M, MATRIX_N, MATRIX_K, Component and Sum are one configuration of the device's. All subgroups are of
// SUBGROUP_SIZE: either the device has no others, or PIN_SUBGROUP_SIZE has it make them so. WORKGROUP_X is a
// multiple of OWN, OTHERS of LANES, OTHER_ROWS and SUBGROUP_COLUMNS of MATRIX_K, COLUMNS at least the head size;
// columns beyond the head are zeros.
// Bytes of workgroup memory: matrixTileBytes in packages/nn/src/ops/attention-matrix-tiles.ts.
// No other subgroup arithmetic here: a module with both has crashed a driver.
//
// What belongs to whom is said by include_attention_forward, _backward_query or _backward_key_value: OWN_PANELS,
// how many matrices of its own rows are kept, and `own_vector` and `other_vector`, which read a vector of a matrix.
// A file that includes this has WEIGHT_PANELS, SUM_PANELS (how many of each kind are kept) and SUM_COLUMNS (at
// least OTHER_ROWS).
//
// Packed sequences: own rows may belong to several, and the other rows are those of all of them, which lie
// in the order of their tokens. A row ignores those of other sequences.
//
// Source: Dao 2023 (FlashAttention-2, arXiv 2307.08691), whose kernels round the same matrices for the units.
//@ const MATRIX_M: u32 = 8
//@ const MATRIX_N: u32 = 8
//@ const MATRIX_K: u32 = 8
//@ const SUBGROUP_SIZE: u32 = 8
//@ const PIN_SUBGROUP_SIZE: bool = false
//@ const SUBGROUPS_M: u32 = 2
//@ const SUBGROUPS_N: u32 = 2
//@ const OWN_FRAGMENTS: u32 = 2
//@ const OTHER_FRAGMENTS: u32 = 2
//@ const COLUMN_FRAGMENTS: u32 = 2
//@ type Component: f16 | f32
//@ type Sum: f32 | f16
//@ enable subgroups
//@ enable subgroup_matrix

// Of a subgroup: own rows; other rows; columns.
const OWN_ROWS: u32 = OWN_FRAGMENTS * MATRIX_M;
const OTHER_ROWS: u32 = OTHER_FRAGMENTS * MATRIX_N;
const SUBGROUP_COLUMNS: u32 = COLUMN_FRAGMENTS * MATRIX_N;
const OWN: u32 = SUBGROUPS_M * OWN_ROWS;
const OTHERS: u32 = SUBGROUPS_N * OTHER_ROWS;
const COLUMNS: u32 = SUBGROUPS_N * SUBGROUP_COLUMNS;
const SUBGROUPS: u32 = SUBGROUPS_M * SUBGROUPS_N;
const WORKGROUP_X: u32 = SUBGROUPS * SUBGROUP_SIZE;
const LANES: u32 = WORKGROUP_X / OWN;
// Products that a sum over all columns takes, and one over all other rows.
const COLUMN_STEPS: u32 = COLUMNS / MATRIX_K;
const OTHER_STEPS: u32 = OTHERS / MATRIX_K;

// Rows of a block begin in different banks of workgroup memory.
const OWN_STRIDE: u32 = COLUMNS + 8u;
const OTHER_STRIDE: u32 = SUBGROUP_COLUMNS + 8u;
const WEIGHT_STRIDE: u32 = OTHERS + 8u;
const SUM_STRIDE: u32 = SUM_COLUMNS + 4u;
// Vectors of four columns: of a row, of a subgroup's columns, of a matrix; of a panel, how many an invocation brings.
const VECTORS: u32 = COLUMNS / 4u;
const SUBGROUP_VECTORS: u32 = SUBGROUP_COLUMNS / 4u;
const MATRIX_VECTORS: u32 = MATRIX_N / 4u;
const OWN_TURNS: u32 = (OWN * VECTORS + WORKGROUP_X - 1u) / WORKGROUP_X;
const OTHER_TURNS: u32 = (OTHERS * VECTORS + WORKGROUP_X - 1u) / WORKGROUP_X;

alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<Sum, MATRIX_N, MATRIX_M>;
alias Weighted = array<Sums, OWN_FRAGMENTS * COLUMN_FRAGMENTS>;

// Arrays of blocks, each what a subgroup loads from or stores to, so that every matrix has a constant place in
// one: Tint guards all others, and its guard hides from a driver how their rows lie.
// [panel, down] own rows; [panel, rows of one subgroup, columns of another] other rows; [panel, down] weights;
// [panel, down, across] sums.
var<workgroup> own_panels: array<array<Component, OWN_ROWS * OWN_STRIDE>, OWN_PANELS * SUBGROUPS_M>;
var<workgroup> other_panels: array<array<Component, OTHER_ROWS * OTHER_STRIDE>, 2u * SUBGROUPS_N * SUBGROUPS_N>;
var<workgroup> weights: array<array<Component, OWN_ROWS * WEIGHT_STRIDE>, WEIGHT_PANELS * SUBGROUPS_M>;
var<workgroup> sums: array<array<Sum, OWN_ROWS * SUM_STRIDE>, SUM_PANELS * SUBGROUPS_M * SUBGROUPS_N>;

// Fills the own panels; rows beyond the last live one repeat it and are never written.
fn stage_own(first: u32, last: u32, head: u32, invocation: u32) {
  for (var turn = 0u; turn < OWN_TURNS; turn++) {
    let i = turn * WORKGROUP_X + invocation % WORKGROUP_X;
    if ((OWN * VECTORS) % WORKGROUP_X == 0u || i < OWN * VECTORS) {
      let row = i / VECTORS;
      let column = i % VECTORS;
      for (var panel = 0u; panel < OWN_PANELS; panel++) {
        let stored = own_vector(panel, min(first + row, last), head, min(column, HEAD_VECTORS - 1u));
        let vector = select(vec4<Element>(), stored, VECTORS == HEAD_VECTORS || column < HEAD_VECTORS);
        let block = panel * SUBGROUPS_M + row / OWN_ROWS;
        let at = (row % OWN_ROWS) * OWN_STRIDE + 4u * column;
        own_panels[block][at] = Component(vector.x);
        own_panels[block][at + 1u] = Component(vector.y);
        own_panels[block][at + 2u] = Component(vector.z);
        own_panels[block][at + 3u] = Component(vector.w);
      }
    }
  }
}

// Fills the two other panels with rows `begin` and on. Those from `end` on repeat the last one: they are finite,
// and weights of zero cancel them.
fn stage_others(begin: u32, end: u32, head: u32, invocation: u32) {
  for (var turn = 0u; turn < OTHER_TURNS; turn++) {
    let i = turn * WORKGROUP_X + invocation % WORKGROUP_X;
    if ((OTHERS * VECTORS) % WORKGROUP_X == 0u || i < OTHERS * VECTORS) {
      let row = i / VECTORS;
      let column = i % VECTORS;
      for (var panel = 0u; panel < 2u; panel++) {
        let stored = other_vector(panel, min(begin + row, end - 1u), head, min(column, HEAD_VECTORS - 1u));
        let vector = select(vec4<Element>(), stored, VECTORS == HEAD_VECTORS || column < HEAD_VECTORS);
        let block = (panel * SUBGROUPS_N + row / OTHER_ROWS) * SUBGROUPS_N + column / SUBGROUP_VECTORS;
        let at = (row % OTHER_ROWS) * OTHER_STRIDE + 4u * (column % SUBGROUP_VECTORS);
        other_panels[block][at] = Component(vector.x);
        other_panels[block][at + 1u] = Component(vector.y);
        other_panels[block][at + 2u] = Component(vector.z);
        other_panels[block][at + 3u] = Component(vector.w);
      }
    }
  }
}

// Panel `into` of the sums: dot products of all rows of an own panel with all rows of an other panel.
fn dot_products(own: u32, other: u32, into: u32, subgroup: u32) {
  let own_block = (own % OWN_PANELS) * SUBGROUPS_M + (subgroup / SUBGROUPS_N) % SUBGROUPS_M;
  let other_blocks = ((other % 2u) * SUBGROUPS_N + subgroup % SUBGROUPS_N) * SUBGROUPS_N;
  let block = (into % SUM_PANELS) * SUBGROUPS + subgroup % SUBGROUPS;
  var products: array<Sums, OWN_FRAGMENTS * OTHER_FRAGMENTS>;
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var j = 0u; j < OTHER_FRAGMENTS; j++) { //@ unroll
      products[i * OTHER_FRAGMENTS + j] = Sums();
    }
  }
  for (var step = 0u; step < COLUMN_STEPS; step++) { //@ unroll
    var left: array<Left, OWN_FRAGMENTS>;
    for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
      left[i] = subgroupMatrixLoad<Left, row_major>(
        &own_panels[own_block], i * MATRIX_M * OWN_STRIDE + step * MATRIX_K, OWN_STRIDE);
    }
    for (var j = 0u; j < OTHER_FRAGMENTS; j++) { //@ unroll
      let right = subgroupMatrixLoad<Right, col_major>(
        &other_panels[other_blocks + step * MATRIX_K / SUBGROUP_COLUMNS],
        j * MATRIX_N * OTHER_STRIDE + step * MATRIX_K % SUBGROUP_COLUMNS,
        OTHER_STRIDE);
      for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
        products[i * OTHER_FRAGMENTS + j] =
          subgroupMatrixMultiplyAccumulate(left[i], right, products[i * OTHER_FRAGMENTS + j]);
      }
    }
  }
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var j = 0u; j < OTHER_FRAGMENTS; j++) { //@ unroll
      subgroupMatrixStore<row_major>(
        &sums[block],
        i * MATRIX_M * SUM_STRIDE + j * MATRIX_N,
        products[i * OTHER_FRAGMENTS + j],
        SUM_STRIDE);
    }
  }
}

// Adds the weights of a panel × rows of an other panel.
fn add_weighted(total: ptr<function, Weighted>, panel: u32, other: u32, subgroup: u32) {
  let weight_block = (panel % WEIGHT_PANELS) * SUBGROUPS_M + (subgroup / SUBGROUPS_N) % SUBGROUPS_M;
  let other_rows = (other % 2u) * SUBGROUPS_N;
  for (var step = 0u; step < OTHER_STEPS; step++) { //@ unroll
    var left: array<Left, OWN_FRAGMENTS>;
    for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
      left[i] = subgroupMatrixLoad<Left, row_major>(
        &weights[weight_block], i * MATRIX_M * WEIGHT_STRIDE + step * MATRIX_K, WEIGHT_STRIDE);
    }
    for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
      let right = subgroupMatrixLoad<Right, row_major>(
        &other_panels[(other_rows + step * MATRIX_K / OTHER_ROWS) * SUBGROUPS_N + subgroup % SUBGROUPS_N],
        (step * MATRIX_K % OTHER_ROWS) * OTHER_STRIDE + c * MATRIX_N,
        OTHER_STRIDE);
      for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
        (*total)[i * COLUMN_FRAGMENTS + c] =
          subgroupMatrixMultiplyAccumulate(left[i], right, (*total)[i * COLUMN_FRAGMENTS + c]);
      }
    }
  }
}

// Puts matrix `chunk` of each subgroup's columns of what was weighted into its block of the sums' panel 0.
fn store_chunk(total: ptr<function, Weighted>, chunk: u32, subgroup: u32) {
  for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
    if (chunk == c) {
      for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
        subgroupMatrixStore<row_major>(
          &sums[subgroup % SUBGROUPS], i * MATRIX_M * SUM_STRIDE, (*total)[i * COLUMN_FRAGMENTS + c], SUM_STRIDE);
      }
    }
  }
}

// Block of a panel of the sums that holds a row of what the subgroups across have made.
fn sum_block(panel: u32, row: u32, across: u32) -> u32 {
  return ((panel % SUM_PANELS) * SUBGROUPS_M + (row / OWN_ROWS) % SUBGROUPS_M) * SUBGROUPS_N + across % SUBGROUPS_N;
}

// A dot product of own row `row` with the other row `other`.
fn dot_product(panel: u32, row: u32, other: u32) -> f32 {
  return f32(sums[sum_block(panel, row, other / OTHER_ROWS)][(row % OWN_ROWS) * SUM_STRIDE + other % OTHER_ROWS]);
}

// Vector `vector` of a row of what a subgroup across put into the sums' panel 0.
fn sum_vector(row: u32, across: u32, vector: u32) -> vec4<f32> {
  let block = sum_block(0u, row, across);
  let at = (row % OWN_ROWS) * SUM_STRIDE + 4u * (vector % (SUM_COLUMNS / 4u));
  return vec4<f32>(
    f32(sums[block][at]), f32(sums[block][at + 1u]), f32(sums[block][at + 2u]), f32(sums[block][at + 3u]));
}

fn set_weight(panel: u32, row: u32, other: u32, weight: f32) {
  let block = (panel % WEIGHT_PANELS) * SUBGROUPS_M + (row / OWN_ROWS) % SUBGROUPS_M;
  weights[block][(row % OWN_ROWS) * WEIGHT_STRIDE + other % OTHERS] = Component(weight);
}
