// Included by `//@ include matmul_workgroup`: a product of panels that a workgroup shares, for GPUs without
// matrix units. Each invocation sums ROW_BLOCKS × COLUMN_BLOCKS blocks of 4 × 4 in registers.
//
// A workgroup makes TILE_M = 4 · ROW_BLOCKS · WORKGROUP_Y rows × TILE_N = 4 · COLUMN_BLOCKS · WORKGROUP_X columns:
// workgroups = [ceil(n / TILE_N), ceil(m / TILE_M), parts of k]. STEP_K and K_PER_PART are multiples of 4,
// INVOCATIONS is one of A_QUADS and of B_QUADS.
//
// Source: the usual register tiling over shared memory (CUTLASS); 4 × 4 an invocation of 8 × 8 as llama.cpp's
// WebGPU kernels have it, and larger ones.
//@ const WORKGROUP_X: u32 = 16
//@ const WORKGROUP_Y: u32 = 16
//@ const ROW_BLOCKS: u32 = 1
//@ const COLUMN_BLOCKS: u32 = 1
//@ const STEP_K: u32 = 16

const TILE_M: u32 = 4u * ROW_BLOCKS * WORKGROUP_Y;
const TILE_N: u32 = 4u * COLUMN_BLOCKS * WORKGROUP_X;
const INVOCATIONS: u32 = WORKGROUP_X * WORKGROUP_Y;
// Rows (columns) of c, by k; a quad more than there are, so that rows of a panel begin in different banks. Not of
// vectors: invocations that write elements of one vector race.
const A_STRIDE: u32 = TILE_M + 4u;
const B_STRIDE: u32 = TILE_N + 4u;
var<workgroup> panel_a: array<f32, STEP_K * A_STRIDE>;
var<workgroup> panel_b: array<f32, STEP_K * B_STRIDE>;

// How far apart in a panel the rows of a (b) are, and what is side by side in them.
const A_DOWN: u32 = select(A_STRIDE, 1u, A_CONTIGUOUS_K);
const A_ACROSS: u32 = select(1u, A_STRIDE, A_CONTIGUOUS_K);
const B_DOWN: u32 = select(B_STRIDE, 1u, B_CONTIGUOUS_K);
const B_ACROSS: u32 = select(1u, B_STRIDE, B_CONTIGUOUS_K);

// What is on its way is carried as it is.
alias Carried = vec4<Element>;

fn carry(quad: vec4<Element>) -> Carried {
  return quad;
}

fn carried(quad: Carried) -> vec4<Element> {
  return quad;
}

fn stage_a(quads: AQuads, invocation: u32) {
  let across = 4u * (invocation % A_QUADS) * A_ACROSS;
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let row = load * A_STEP + (invocation / A_QUADS) % A_STEP;
    if (A_ROWS % A_STEP == 0u || row < A_ROWS) {
      let quad = vec4<f32>(carried(quads[load]));
      let at = row * A_DOWN + across;
      panel_a[at] = quad.x;
      panel_a[at + A_ACROSS] = quad.y;
      panel_a[at + 2u * A_ACROSS] = quad.z;
      panel_a[at + 3u * A_ACROSS] = quad.w;
    }
  }
}

fn stage_b(quads: BQuads, invocation: u32) {
  let across = 4u * (invocation % B_QUADS) * B_ACROSS;
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let row = load * B_STEP + (invocation / B_QUADS) % B_STEP;
    if (B_ROWS % B_STEP == 0u || row < B_ROWS) {
      let quad = vec4<f32>(carried(quads[load]));
      let at = row * B_DOWN + across;
      panel_b[at] = quad.x;
      panel_b[at + B_ACROSS] = quad.y;
      panel_b[at + 2u * B_ACROSS] = quad.z;
      panel_b[at + 3u * B_ACROSS] = quad.w;
    }
  }
}

fn multiply(tile: vec3<u32>, invocation: u32) {
  let live_m = live_count(params.m_count, params.m);
  let first_row = tile.y * TILE_M;
  let first_column = tile.x * TILE_N;
  let part = part_of_k(tile.z);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n) || part.beyond) {
    return;
  }
  let x = invocation % WORKGROUP_X;
  let y = (invocation / WORKGROUP_X) % WORKGROUP_Y;

  let left_starts = starts_of_a(first_row, invocation);
  let right_starts = starts_of_b(first_column, invocation);
  var left_quads = load_a(left_starts, part.begin, invocation);
  var right_quads = load_b(right_starts, part.begin, invocation);
  var sums: array<mat4x4<f32>, ROW_BLOCKS * COLUMN_BLOCKS>;
  for (var k = part.begin; k < part.end; k += STEP_K) {
    if (k + STEP_K > part.end) {
      left_quads = live_a(left_quads, k, part.end, invocation);
      right_quads = live_b(right_quads, k, part.end, invocation);
    }
    stage_a(left_quads, invocation);
    stage_b(right_quads, invocation);
    workgroupBarrier();
    // What comes next is on its way while these panels are multiplied.
    left_quads = load_a(left_starts, k + STEP_K, invocation);
    right_quads = load_b(right_starts, k + STEP_K, invocation);
    for (var quad_k = 0u; quad_k < STEP_K / 4u; quad_k++) {
      let step_k = 4u * quad_k;
      for (var more_k = 0u; more_k < 4u; more_k++) { //@ unroll
        var rows: array<vec4<f32>, ROW_BLOCKS>;
        for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
          let at = (step_k + more_k) * A_STRIDE + 4u * (block * WORKGROUP_Y + y);
          rows[block] = vec4<f32>(panel_a[at], panel_a[at + 1u], panel_a[at + 2u], panel_a[at + 3u]);
        }
        for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
          let at = (step_k + more_k) * B_STRIDE + 4u * (column * WORKGROUP_X + x);
          let columns = vec4<f32>(panel_b[at], panel_b[at + 1u], panel_b[at + 2u], panel_b[at + 3u]);
          for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
            let row = rows[block];
            sums[column * ROW_BLOCKS + block] +=
              mat4x4<f32>(columns * row.x, columns * row.y, columns * row.z, columns * row.w);
          }
        }
      }
    }
    workgroupBarrier();
  }

  for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      let rows = first_row + 4u * (block * WORKGROUP_Y + y) + QUAD;
      let quad = (first_column >> 2u) + column * WORKGROUP_X + x;
      write_block(tile.z, rows, live_m, quad, sums[column * ROW_BLOCKS + block]);
    }
  }
}
