// Included by `//@ include attention_subgroup_matrix`: attention by tiles, its products on matrix units.
//
// A workgroup owns OWN rows of one head (queries; for the gradients of keys and values, keys) and goes over
// the other rows that they meet, OTHERS at a time. Two kinds of products, both of panels in workgroup memory:
// - `dot_products`: own rows · other rowsᵀ, [OWN, OTHERS], which go to `sums` as the units made them;
// - `add_weighted`: weights [OWN, OTHERS] · other rows, [OWN, COLUMNS], which stay in the units' matrices.
// The SUBGROUPS_M × SUBGROUPS_N subgroups share either out: a subgroup has OWN_FRAGMENTS matrices of MATRIX_M
// neighbouring rows, and every SUBGROUPS_N-th matrix of MATRIX_N columns.
//
// Between the two, what is not a product (softmax, dropout, sequences) is done in f32 by LANES invocations a
// row: invocation i has row i / LANES, columns i % LANES, + LANES, … What they make of a tile, the weights,
// is rounded to Component, as the units want it. Elements of a matrix of the units have no known place in the
// invocations, so what is needed of one by row or column goes through workgroup memory.
//
// MATRIX_M, MATRIX_N, MATRIX_K, Component and Sum are one configuration of the device's. All subgroups are of
// SUBGROUP_SIZE: either the device has no others, or PIN_SUBGROUP_SIZE has it make them so. WORKGROUP_X is a
// multiple of OWN, OTHERS of LANES and MATRIX_K, COLUMNS of MATRIX_K and at least the head size; columns beyond
// the head, and other rows beyond the last one, are zeros.
// Bytes of workgroup memory: matrixTileBytes in packages/nn/src/ops/attention-matrix-tiles.ts.
// No subgroup arithmetic here: one module with both has crashed a driver.
//
// What belongs to whom is said by include_attention_forward, _backward_query or _backward_key_value: OWN_PANELS,
// how many matrices of its own rows are kept, and `own_vector` and `other_vector`, which read a vector of a matrix.
// A file that includes this has WEIGHT_PANELS, SUM_PANELS (how many of each kind are kept) and SUM_COLUMNS (at
// least OTHERS).
//
// Packed sequences: own rows may belong to several, and the other rows are those of all of them, which lie
// in the order of their tokens. What is not of a row's own sequence counts nothing.
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

const OWN: u32 = SUBGROUPS_M * OWN_FRAGMENTS * MATRIX_M;
const OTHERS: u32 = SUBGROUPS_N * OTHER_FRAGMENTS * MATRIX_N;
const COLUMNS: u32 = SUBGROUPS_N * COLUMN_FRAGMENTS * MATRIX_N;
// Columns of `add_weighted` that are written at a time: one matrix of each subgroup beside the next one's.
const CHUNK: u32 = SUBGROUPS_N * MATRIX_N;
const WORKGROUP_X: u32 = SUBGROUPS_M * SUBGROUPS_N * SUBGROUP_SIZE;
const LANES: u32 = WORKGROUP_X / OWN;

// Rows of a panel begin in different banks of workgroup memory.
const STRIDE: u32 = COLUMNS + 8u;
const WEIGHT_STRIDE: u32 = OTHERS + 8u;
const SUM_STRIDE: u32 = SUM_COLUMNS + 4u;
const OWN_PANEL: u32 = OWN * STRIDE;
const OTHER_PANEL: u32 = OTHERS * STRIDE;
const WEIGHT_PANEL: u32 = OWN * WEIGHT_STRIDE;
const SUM_PANEL: u32 = OWN * SUM_STRIDE;

alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<Sum, MATRIX_N, MATRIX_M>;
alias Weighted = array<Sums, OWN_FRAGMENTS * COLUMN_FRAGMENTS>;

// [panel, own row, column], [panel, other row, column], [panel, own row, other row], [panel, own row, …].
var<workgroup> own_panels: array<Component, OWN_PANELS * OWN_PANEL>;
var<workgroup> other_panels: array<Component, 2u * OTHER_PANEL>;
var<workgroup> weights: array<Component, WEIGHT_PANELS * WEIGHT_PANEL>;
var<workgroup> sums: array<Sum, SUM_PANELS * SUM_PANEL>;

// Fills the own panels; rows beyond the last live one repeat it and are never written.
fn stage_own(first: u32, last: u32, head: u32, invocation: u32) {
  for (var i = invocation; i < OWN * (COLUMNS / 4u); i += WORKGROUP_X) {
    let row = i / (COLUMNS / 4u);
    let column = i % (COLUMNS / 4u);
    for (var panel = 0u; panel < OWN_PANELS; panel++) {
      var vector = vec4<Element>();
      if (column < HEAD_VECTORS) {
        vector = own_vector(panel, min(first + row, last), head, column);
      }
      let at = panel * OWN_PANEL + row * STRIDE + 4u * column;
      own_panels[at] = Component(vector.x);
      own_panels[at + 1u] = Component(vector.y);
      own_panels[at + 2u] = Component(vector.z);
      own_panels[at + 3u] = Component(vector.w);
    }
  }
}

// Fills the two other panels with rows `begin` and on. From `end` on they are zeros: what memory holds there
// might be no number, and weights of zero would not undo that.
fn stage_others(begin: u32, end: u32, head: u32, invocation: u32) {
  for (var i = invocation; i < OTHERS * (COLUMNS / 4u); i += WORKGROUP_X) {
    let row = i / (COLUMNS / 4u);
    let column = i % (COLUMNS / 4u);
    for (var panel = 0u; panel < 2u; panel++) {
      var vector = vec4<Element>();
      if (begin + row < end && column < HEAD_VECTORS) {
        vector = other_vector(panel, begin + row, head, column);
      }
      let at = panel * OTHER_PANEL + row * STRIDE + 4u * column;
      other_panels[at] = Component(vector.x);
      other_panels[at + 1u] = Component(vector.y);
      other_panels[at + 2u] = Component(vector.z);
      other_panels[at + 3u] = Component(vector.w);
    }
  }
}

// The first of a subgroup's own rows, and the first column of its first matrix.
fn own_begin(subgroup: u32) -> u32 {
  return (subgroup / SUBGROUPS_N) * (OWN_FRAGMENTS * MATRIX_M);
}

fn column_begin(subgroup: u32) -> u32 {
  return (subgroup % SUBGROUPS_N) * MATRIX_N;
}

// Panel `into` of the sums: dot products of all rows of an own panel with all rows of an other panel.
fn dot_products(own: u32, other: u32, into: u32, subgroup: u32) {
  let row_begin = own_begin(subgroup);
  let other_begin = column_begin(subgroup);
  var products: array<Sums, OWN_FRAGMENTS * OTHER_FRAGMENTS>;
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var j = 0u; j < OTHER_FRAGMENTS; j++) { //@ unroll
      products[i * OTHER_FRAGMENTS + j] = Sums();
    }
  }
  for (var k = 0u; k < COLUMNS; k += MATRIX_K) {
    var left: array<Left, OWN_FRAGMENTS>;
    for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
      left[i] = subgroupMatrixLoad<Left, row_major>(
        &own_panels, own * OWN_PANEL + (row_begin + i * MATRIX_M) * STRIDE + k, STRIDE);
    }
    for (var j = 0u; j < OTHER_FRAGMENTS; j++) { //@ unroll
      let right = subgroupMatrixLoad<Right, col_major>(
        &other_panels, other * OTHER_PANEL + (other_begin + j * CHUNK) * STRIDE + k, STRIDE);
      for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
        products[i * OTHER_FRAGMENTS + j] =
          subgroupMatrixMultiplyAccumulate(left[i], right, products[i * OTHER_FRAGMENTS + j]);
      }
    }
  }
  for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
    for (var j = 0u; j < OTHER_FRAGMENTS; j++) { //@ unroll
      subgroupMatrixStore<row_major>(
        &sums,
        into * SUM_PANEL + (row_begin + i * MATRIX_M) * SUM_STRIDE + other_begin + j * CHUNK,
        products[i * OTHER_FRAGMENTS + j],
        SUM_STRIDE);
    }
  }
}

// Adds the weights of a panel × rows of an other panel.
fn add_weighted(total: ptr<function, Weighted>, panel: u32, other: u32, subgroup: u32) {
  let row_begin = own_begin(subgroup);
  let first_column = column_begin(subgroup);
  for (var k = 0u; k < OTHERS; k += MATRIX_K) {
    var left: array<Left, OWN_FRAGMENTS>;
    for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
      left[i] = subgroupMatrixLoad<Left, row_major>(
        &weights, panel * WEIGHT_PANEL + (row_begin + i * MATRIX_M) * WEIGHT_STRIDE + k, WEIGHT_STRIDE);
    }
    for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
      let right = subgroupMatrixLoad<Right, row_major>(
        &other_panels, other * OTHER_PANEL + k * STRIDE + first_column + c * CHUNK, STRIDE);
      for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
        (*total)[i * COLUMN_FRAGMENTS + c] =
          subgroupMatrixMultiplyAccumulate(left[i], right, (*total)[i * COLUMN_FRAGMENTS + c]);
      }
    }
  }
}

// Puts chunk `chunk` of what was weighted at column `column` of the sums' panel 0.
fn store_chunk(total: ptr<function, Weighted>, chunk: u32, column: u32, subgroup: u32) {
  let at = own_begin(subgroup) * SUM_STRIDE + column_begin(subgroup) + column;
  for (var c = 0u; c < COLUMN_FRAGMENTS; c++) { //@ unroll
    if (chunk == c) {
      for (var i = 0u; i < OWN_FRAGMENTS; i++) { //@ unroll
        subgroupMatrixStore<row_major>(
          &sums, at + i * MATRIX_M * SUM_STRIDE, (*total)[i * COLUMN_FRAGMENTS + c], SUM_STRIDE);
      }
    }
  }
}

// Four neighbouring columns of a row of the sums' panel 0.
fn sum_vector(row: u32, column: u32) -> vec4<f32> {
  let at = row * SUM_STRIDE + column;
  return vec4<f32>(f32(sums[at]), f32(sums[at + 1u]), f32(sums[at + 2u]), f32(sums[at + 3u]));
}
