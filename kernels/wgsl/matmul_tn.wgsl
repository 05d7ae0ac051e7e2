// matmul_tn: c[i, j] = Σ_k a[k, i] · b[k, j]. The gradient of a weight: k runs over tokens.
//
// a [k, m], b [k, n], c [m, n]: row-major, bound as quads of 4 along the last axis.
// Overwrites c, or adds to it when ACCUMULATE.
// One dispatch covers c. A workgroup makes 4 · ROW_BLOCKS · WORKGROUP_X rows × 4 · COLUMN_BLOCKS columns:
// workgroups = [ceil(n / (4 · COLUMN_BLOCKS)), ceil(m / (4 · ROW_BLOCKS · WORKGROUP_X))].
// Limits: m and n are multiples of 4. Live sizes are free: tiles beyond them return at once, elements
// from the live k on count as 0 whatever memory holds, rows of c from the live m on are left alone, columns
// from the live n on hold anything.
// Precision: a and b are stored as Element, c as Output; f32 products and sums, one running sum for each output.
//
// Source: register tiling in 4 × 4 blocks without workgroup memory; each invocation loads all that it needs.
// matmul_tn_subgroup is faster where there are subgroups. SwiftShader without them: 4 × 4 blocks.
//@ const WORKGROUP_X: u32 = 8
//@ const ROW_BLOCKS: u32 = 2
//@ const COLUMN_BLOCKS: u32 = 2
//@ const ACCUMULATE: bool = false
//@ type Element: f32 | f16
//@ type Output: f32 | f16
//@ include step

struct Params {
  m: u32,
  n: u32,
  k: u32,
  m_count: u32,
  n_count: u32,
  k_count: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<Output>>;
@group(1) @binding(0) var<uniform> params: Params;

const QUAD = vec4<u32>(0u, 1u, 2u, 3u);

// The rows of c in one block of an invocation: neighbours, which one quad of a holds.
fn block_rows(first_row: u32, invocation: u32, block: u32) -> vec4<u32> {
  return first_row + 4u * (block * WORKGROUP_X + invocation) + QUAD;
}

fn a_quad(quad: u32, k: u32, live_k: u32) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(a[min(k, params.k - 1u) * (params.m >> 2u) + quad]), k < live_k);
}

// 4 k (components) of 4 rows of c (columns of the matrix).
fn a_block(quad: u32, k: u32, live_k: u32) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(
    a_quad(quad, k, live_k),
    a_quad(quad, k + 1u, live_k),
    a_quad(quad, k + 2u, live_k),
    a_quad(quad, k + 3u, live_k),
  ));
}

fn b_quad(quad: u32, k: u32, live_k: u32) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(b[min(k, params.k - 1u) * (params.n >> 2u) + quad]), k < live_k);
}

// 4 columns of c (components) of 4 k (columns of the matrix).
fn b_block(quad: u32, k: u32, live_k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(
    b_quad(quad, k, live_k),
    b_quad(quad, k + 1u, live_k),
    b_quad(quad, k + 2u, live_k),
    b_quad(quad, k + 3u, live_k),
  );
}

// Writes or adds 4 rows (columns of the matrix) × 4 columns of c.
fn write_block(rows: vec4<u32>, live_m: u32, quad: u32, block: mat4x4<f32>) {
  if (quad >= (params.n >> 2u)) {
    return;
  }
  let at = rows * (params.n >> 2u) + quad;
  if (rows.x < live_m) { c[at.x] = vec4<Output>(block[0] + select(vec4<f32>(), vec4<f32>(c[at.x]), ACCUMULATE)); }
  if (rows.y < live_m) { c[at.y] = vec4<Output>(block[1] + select(vec4<f32>(), vec4<f32>(c[at.y]), ACCUMULATE)); }
  if (rows.z < live_m) { c[at.z] = vec4<Output>(block[2] + select(vec4<f32>(), vec4<f32>(c[at.z]), ACCUMULATE)); }
  if (rows.w < live_m) { c[at.w] = vec4<Output>(block[3] + select(vec4<f32>(), vec4<f32>(c[at.w]), ACCUMULATE)); }
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) tile: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let live_m = live_count(params.m_count, params.m);
  let live_k = live_count(params.k_count, params.k);
  let first_row = tile.y * (4u * ROW_BLOCKS * WORKGROUP_X);
  let first_column = tile.x * (4u * COLUMN_BLOCKS);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n)) {
    return;
  }

  var row_quads: array<u32, ROW_BLOCKS>;
  for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
    row_quads[block] = min(block_rows(first_row, invocation, block).x, params.m - 1u) >> 2u;
  }
  var column_quads: array<u32, COLUMN_BLOCKS>;
  for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
    column_quads[column] = min((first_column >> 2u) + column, (params.n >> 2u) - 1u);
  }

  var sums: array<mat4x4<f32>, ROW_BLOCKS * COLUMN_BLOCKS>;
  for (var k = 0u; k < live_k; k += 4u) {
    var rows_k: array<mat4x4<f32>, ROW_BLOCKS>;
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      rows_k[block] = a_block(row_quads[block], k, live_k);
    }
    for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
      let columns_k = b_block(column_quads[column], k, live_k);
      for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
        sums[column * ROW_BLOCKS + block] += columns_k * rows_k[block];
      }
    }
  }

  for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      let rows = block_rows(first_row, invocation, block);
      write_block(rows, live_m, (first_column >> 2u) + column, sums[column * ROW_BLOCKS + block]);
    }
  }
}
