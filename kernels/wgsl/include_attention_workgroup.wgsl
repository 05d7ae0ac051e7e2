// Included by `//@ include attention_workgroup`: attention by tiles in workgroup memory, for GPUs.
//
// A workgroup owns OWN rows of one head (queries; for the gradients of keys and values, keys) and goes over
// the other rows that they meet, OTHERS at a time. The invocations form a grid, WORKGROUP_X × WORKGROUP_Y,
// and each keeps two kinds of blocks in registers:
// - of a tile of scores, own rows 4y … 4y + 3 × the other rows x, x + WORKGROUP_X, … (OTHERS_EACH of them);
// - of what the workgroup writes, own rows 4y … 4y + 3 × the vectors of columns x, x + WORKGROUP_X, …
//   (COLUMNS_EACH = ceil(HEAD_VECTORS / WORKGROUP_X) of them; those beyond the head are not written).
// Between the two, weights (probabilities, gradients of scores) change hands through workgroup memory.
//
// What belongs to whom is said by include_attention_forward, _backward_query or _backward_key_value:
// - OWN_PANELS, how many matrices of its own rows are kept; `own_vector` reads a vector of one of them,
// - `other_vector`, which reads one of the other rows' matrices: they take turns in one panel.
// Bytes of workgroup memory: attentionTileBytes in packages/nn/src/ops/attention-kernels.ts.
//
// Packed sequences: own rows may belong to several, and the other rows are those of all of them, which lie
// in the order of their tokens. A row ignores those of other sequences; an invocation whose four rows
// meet none of a tile's others only takes part in the barriers.
//
// Source: Dao 2023 (FlashAttention-2, arXiv 2307.08691), where a warp owns whole rows and reduces them by
// shuffles; here the grid owns blocks, as in include_matmul_workgroup.wgsl, and rows are reduced through
// workgroup memory, so that the device needs nothing but 16 KiB of it.
//@ const WORKGROUP_X: u32 = 4
//@ const WORKGROUP_Y: u32 = 8
//@ const OTHERS_EACH: u32 = 4
//@ const COLUMNS_EACH: u32 = 2

const INVOCATIONS: u32 = WORKGROUP_X * WORKGROUP_Y;
const OWN: u32 = 4u * WORKGROUP_Y;
const OTHERS: u32 = OTHERS_EACH * WORKGROUP_X;
// Odd numbers of vectors, so that neighbouring rows begin in different banks.
const STRIDE: u32 = HEAD_VECTORS | 1u;
const WEIGHT_STRIDE: u32 = WORKGROUP_Y | 1u;
const OWN_PANEL: u32 = OWN * STRIDE;
// Vectors of a panel that each invocation brings.
const OWN_TURNS: u32 = (OWN * HEAD_VECTORS + INVOCATIONS - 1u) / INVOCATIONS;
const OTHER_TURNS: u32 = (OTHERS * HEAD_VECTORS + INVOCATIONS - 1u) / INVOCATIONS;

// [panel, own row, vector], [other row, vector], [other row, four own rows].
var<workgroup> own_panels: array<vec4<Element>, OWN_PANELS * OWN_PANEL>;
var<workgroup> other_panel: array<vec4<Element>, OTHERS * STRIDE>;
var<workgroup> weights: array<vec4<f32>, OTHERS * WEIGHT_STRIDE>;

// Four own rows of an invocation: tokens (the last live one instead of those beyond), and the first and the
// end token of the sequence of each.
struct OwnRows {
  tokens: vec4<u32>,
  begins: vec4<u32>,
  ends: vec4<u32>,
}

fn own_rows(first: u32, last: u32, y: u32) -> OwnRows {
  let tokens = min(first + 4u * y + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last));
  let one = bounds[tokens.x];
  let two = bounds[tokens.y];
  let three = bounds[tokens.z];
  let four = bounds[tokens.w];
  return OwnRows(tokens, vec4<u32>(one.x, two.x, three.x, four.x), vec4<u32>(one.y, two.y, three.y, four.y));
}

// Whether any of the four rows meets any of the others from `begin` on.
fn meets(rows: OwnRows, begin: u32) -> bool {
  return begin < rows.ends.w && begin + OTHERS > rows.begins.x;
}

// Fills the own panels; rows beyond the last live one repeat it and are never written.
fn stage_own(first: u32, last: u32, head: u32, invocation: u32) {
  for (var turn = 0u; turn < OWN_TURNS; turn++) {
    let i = turn * INVOCATIONS + invocation % INVOCATIONS;
    if (i < OWN * HEAD_VECTORS) {
      let row = i / HEAD_VECTORS;
      let column = i % HEAD_VECTORS;
      for (var panel = 0u; panel < OWN_PANELS; panel++) {
        own_panels[panel * OWN_PANEL + row * STRIDE + column] =
          own_vector(panel, min(first + row, last), head, column);
      }
    }
  }
}

// Fills the other panel with rows `begin` and on of a matrix. Those from `end` on repeat the last one: they are
// finite, and weights of zero cancel them.
fn stage_others(matrix: u32, begin: u32, end: u32, head: u32, invocation: u32) {
  for (var turn = 0u; turn < OTHER_TURNS; turn++) {
    let i = turn * INVOCATIONS + invocation % INVOCATIONS;
    if (i < OTHERS * HEAD_VECTORS) {
      let row = i / HEAD_VECTORS;
      let column = i % HEAD_VECTORS;
      other_panel[row * STRIDE + column] = other_vector(matrix, min(begin + row, end - 1u), head, column);
    }
  }
}

// Which of the four rows meet the other row `other`.
fn within(rows: OwnRows, other: u32) -> vec4<bool> {
  return (vec4<u32>(other) >= rows.begins) & (vec4<u32>(other) < rows.ends);
}

// Dot products of own rows 4y … 4y + 3 of panel `panel` with the other rows x, x + WORKGROUP_X, …
fn dot_products(panel: u32, x: u32, y: u32) -> array<vec4<f32>, OTHERS_EACH> {
  let own_begin = (panel % OWN_PANELS) * OWN_PANEL + 4u * (y % WORKGROUP_Y) * STRIDE;
  let other_begin = (x % WORKGROUP_X) * STRIDE;
  var sums = array<vec4<f32>, OTHERS_EACH>();
  for (var i = 0u; i < HEAD_VECTORS; i++) {
    let at = own_begin + i;
    // One column of four rows each: a multiply-add of four lanes, where dot() would add apart.
    let columns = transpose(mat4x4<f32>(
      vec4<f32>(own_panels[at]),
      vec4<f32>(own_panels[at + STRIDE]),
      vec4<f32>(own_panels[at + 2u * STRIDE]),
      vec4<f32>(own_panels[at + 3u * STRIDE]),
    ));
    for (var j = 0u; j < OTHERS_EACH; j++) { //@ unroll
      let other = vec4<f32>(other_panel[other_begin + j * WORKGROUP_X * STRIDE + i]);
      sums[j] += columns[0] * other.x;
      sums[j] += columns[1] * other.y;
      sums[j] += columns[2] * other.z;
      sums[j] += columns[3] * other.w;
    }
  }
  return sums;
}

// Adds weight × row of the tile's other rows, in order, to own rows 4y … 4y + 3 (the matrices' columns) of the
// vectors x, x + WORKGROUP_X, … In place of one beyond the head, any one serves: it is not written.
fn add_weighted(total: ptr<function, array<mat4x4<f32>, COLUMNS_EACH>>, x: u32, y: u32) {
  for (var some = 0u; some < OTHERS_EACH; some++) {
    for (var more = 0u; more < WORKGROUP_X; more++) { //@ unroll
      let other = some * WORKGROUP_X + more;
      let weight = weights[other * WEIGHT_STRIDE + y % WORKGROUP_Y];
      for (var c = 0u; c < COLUMNS_EACH; c++) { //@ unroll
        let of_c = x % min(WORKGROUP_X, HEAD_VECTORS - c * WORKGROUP_X);
        let row = vec4<f32>(other_panel[other * STRIDE + of_c + c * WORKGROUP_X]);
        (*total)[c] += mat4x4<f32>(row * weight.x, row * weight.y, row * weight.z, row * weight.w);
      }
    }
  }
}

// The dropout keys of four queries of a head.
fn dropout_queries_of(tokens: vec4<u32>, head: u32) -> vec4<u32> {
  return vec4<u32>(
    dropout_query_of(tokens.x, head),
    dropout_query_of(tokens.y, head),
    dropout_query_of(tokens.z, head),
    dropout_query_of(tokens.w, head),
  );
}

// The dropout factors of four probabilities; `keys` are positions in the sequence.
fn dropout_factors_of(queries: vec4<u32>, keys: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(
    dropout_factor_of(queries.x, keys.x),
    dropout_factor_of(queries.y, keys.y),
    dropout_factor_of(queries.z, keys.z),
    dropout_factor_of(queries.w, keys.w),
  );
}
