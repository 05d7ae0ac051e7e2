// matmul_nt: c[i, j] = Σ_k a[i, k] · b[j, k]. A linear layer without bias, similarities.
//
// a [m, k], b [n, k], c [m, n]: row-major, bound as quads of 4 along the last axis.
// Overwrites c.
// One dispatch covers c. A workgroup makes 4 · ROW_BLOCKS · WORKGROUP_X rows × 4 · COLUMN_BLOCKS columns:
// workgroups = [ceil(n / (4 · COLUMN_BLOCKS)), ceil(m / (4 · ROW_BLOCKS · WORKGROUP_X))].
// Limits: n and k are multiples of 4. Live sizes are free: tiles beyond them return at once, elements
// from the live k on count as 0 whatever memory holds, rows of c from the live m on are left alone, columns
// from the live n on hold anything.
// Precision: a and b are stored as Element, c as Output; f32 products and sums, one running sum for each output.
//
// Source: register tiling in 4 × 4 blocks without workgroup memory; each invocation loads all that it needs.
// matmul_nt_subgroup is faster where there are subgroups. SwiftShader without them: 4 × 4 blocks.
//@ const WORKGROUP_X: u32 = 8
//@ const ROW_BLOCKS: u32 = 2
//@ const COLUMN_BLOCKS: u32 = 2
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

// The rows of c in one block of an invocation: WORKGROUP_X apart, so that invocations write neighbours.
fn block_rows(first_row: u32, invocation: u32, block: u32) -> vec4<u32> {
  return first_row + invocation + WORKGROUP_X * (4u * block + QUAD);
}

fn a_quad(row_start: u32, k: u32, live_k: u32) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(a[row_start + (k >> 2u)]), k + QUAD < vec4<u32>(live_k));
}

// 4 k (components) of 4 rows (columns of the matrix) that start at these quads.
fn a_block(row_starts: vec4<u32>, k: u32, live_k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(
    a_quad(row_starts.x, k, live_k),
    a_quad(row_starts.y, k, live_k),
    a_quad(row_starts.z, k, live_k),
    a_quad(row_starts.w, k, live_k),
  );
}

fn b_quad(column_start: u32, k: u32, live_k: u32) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(b[column_start + (k >> 2u)]), k + QUAD < vec4<u32>(live_k));
}

// 4 columns of c (components) of 4 k (columns of the matrix), from rows of b that start at these quads.
fn b_block(column_starts: vec4<u32>, k: u32, live_k: u32) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(
    b_quad(column_starts.x, k, live_k),
    b_quad(column_starts.y, k, live_k),
    b_quad(column_starts.z, k, live_k),
    b_quad(column_starts.w, k, live_k),
  ));
}

// Writes 4 rows (columns of the matrix) × 4 columns of c.
fn write_block(rows: vec4<u32>, live_m: u32, quad: u32, block: mat4x4<f32>) {
  if (quad >= (params.n >> 2u)) {
    return;
  }
  let at = rows * (params.n >> 2u) + quad;
  if (rows.x < live_m) { c[at.x] = vec4<Output>(block[0]); }
  if (rows.y < live_m) { c[at.y] = vec4<Output>(block[1]); }
  if (rows.z < live_m) { c[at.z] = vec4<Output>(block[2]); }
  if (rows.w < live_m) { c[at.w] = vec4<Output>(block[3]); }
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

  var row_starts: array<vec4<u32>, ROW_BLOCKS>;
  for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
    let rows = min(block_rows(first_row, invocation, block), vec4<u32>(params.m - 1u));
    row_starts[block] = rows * (params.k >> 2u);
  }
  var column_starts: array<vec4<u32>, COLUMN_BLOCKS>;
  for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
    let columns = min(first_column + 4u * column + QUAD, vec4<u32>(params.n - 1u));
    column_starts[column] = columns * (params.k >> 2u);
  }

  var sums: array<mat4x4<f32>, ROW_BLOCKS * COLUMN_BLOCKS>;
  for (var k = 0u; k < live_k; k += 4u) {
    var rows_k: array<mat4x4<f32>, ROW_BLOCKS>;
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      rows_k[block] = a_block(row_starts[block], k, live_k);
    }
    for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
      let columns_k = b_block(column_starts[column], k, live_k);
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
