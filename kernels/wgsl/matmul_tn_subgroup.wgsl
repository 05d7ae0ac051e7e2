// matmul_tn_subgroup: c[i, j] = Σ_k a[k, i] · b[k, j]. The gradient of a weight: k runs over tokens.
//
// a [k, m], b [k, n], c [m, n]: row-major, bound as quads of 4 along the last axis.
// Overwrites c, or adds to it when ACCUMULATE.
// One dispatch covers c. A workgroup makes 4 · ROW_BLOCKS · WORKGROUP_X rows × LOADS · LANES columns:
// workgroups = [ceil(n / (LOADS · 4 · PARTS)), ceil(m / (4 · ROW_BLOCKS · WORKGROUP_X))].
// Limits: m and n are multiples of 4. Live sizes are free: tiles beyond them return at once, elements
// from the live k on count as 0 whatever memory holds, rows of c from the live m on are left alone, columns
// from the live n on hold anything.
// Precision: a and b are stored as Element, c as Output; f32 products and sums, one running sum for each output.
//
// Source: register tiling in 4 × 4 blocks without workgroup memory. LANES = 4 · PARTS invocations of a subgroup
// load one quad of b each and pass it to the others, which have the same columns. Devices that load lane by
// lane (lavapipe) so load a fraction of what the plain kernel does. Every subgroup must hold a
// multiple of LANES active invocations: LANES is at most subgroupMinSize; WORKGROUP_X is a multiple of LANES
// and, unless it is below subgroupMinSize, of subgroupMaxSize. lavapipe: the defaults. SwiftShader: WORKGROUP_X 4,
// ROW_BLOCKS 2, LOADS 8, PARTS 1.
//@ const WORKGROUP_X: u32 = 8
//@ const ROW_BLOCKS: u32 = 1
//@ const LOADS: u32 = 3
//@ const PARTS: u32 = 2
//@ const ACCUMULATE: bool = false
//@ type Element: f32 | f16
//@ type Output: f32 | f16
//@ enable subgroups
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

const LANES: u32 = 4u * PARTS;
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

// 4 columns of c (components) of 4 k (columns of the matrix), out of what 4 invocations loaded.
fn b_block(own: vec4<f32>, first: u32) -> mat4x4<f32> {
  return mat4x4<f32>(
    subgroupShuffle(own, first),
    subgroupShuffle(own, first + 1u),
    subgroupShuffle(own, first + 2u),
    subgroupShuffle(own, first + 3u),
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
  @builtin(subgroup_invocation_id) subgroup_invocation: u32,
) {
  let live_m = live_count(params.m_count, params.m);
  let live_k = live_count(params.k_count, params.k);
  let first_row = tile.y * (4u * ROW_BLOCKS * WORKGROUP_X);
  let first_column = tile.x * (LOADS * LANES);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n)) {
    return;
  }

  var row_quads: array<u32, ROW_BLOCKS>;
  for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
    row_quads[block] = min(block_rows(first_row, invocation, block).x, params.m - 1u) >> 2u;
  }
  let lane = subgroup_invocation % LANES;
  // This invocation loads, of every 4 k and LANES columns, quad `lane / 4` of k `lane % 4`.
  let lane_k = lane & 3u;
  var column_quads: array<u32, LOADS>;
  for (var load = 0u; load < LOADS; load++) { //@ unroll
    column_quads[load] = min(first_column + load * LANES + lane, params.n - 1u) >> 2u;
  }

  var sums: array<mat4x4<f32>, ROW_BLOCKS * LOADS * PARTS>;
  for (var k = 0u; k < live_k; k += 4u) {
    var rows_k: array<mat4x4<f32>, ROW_BLOCKS>;
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      rows_k[block] = a_block(row_quads[block], k, live_k);
    }
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let own = b_quad(column_quads[load], k + lane_k, live_k);
      for (var part = 0u; part < PARTS; part++) { //@ unroll
        let columns_k = b_block(own, 4u * part);
        for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
          sums[(load * PARTS + part) * ROW_BLOCKS + block] += columns_k * rows_k[block];
        }
      }
    }
  }

  for (var load = 0u; load < LOADS; load++) { //@ unroll
    for (var part = 0u; part < PARTS; part++) { //@ unroll
      for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
        let rows = block_rows(first_row, invocation, block);
        let quad = (first_column >> 2u) + load * PARTS + part;
        write_block(rows, live_m, quad, sums[(load * PARTS + part) * ROW_BLOCKS + block]);
      }
    }
  }
}
