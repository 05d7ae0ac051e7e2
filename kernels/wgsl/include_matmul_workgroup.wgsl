// Included by `//@ include matmul_workgroup`: a product of panels that a workgroup shares, for GPUs without
// matrix units. Each invocation sums ROW_BLOCKS × COLUMN_BLOCKS blocks of 4 × 4 in registers.
//
// A workgroup makes TILE_M = 4 · ROW_BLOCKS · WORKGROUP_Y rows × TILE_N = 4 · COLUMN_BLOCKS · WORKGROUP_X columns:
// workgroups = [ceil(n / TILE_N), ceil(m / TILE_M), parts of k]. STEP_K and K_PER_PART are multiples of 4.
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
// Quads of rows (columns) of c, by k; one more than there are, so that rows begin in different banks.
const A_STRIDE: u32 = TILE_M / 4u + 1u;
const B_STRIDE: u32 = TILE_N / 4u + 1u;
var<workgroup> panel_a: array<vec4<f32>, STEP_K * A_STRIDE>;
var<workgroup> panel_b: array<vec4<f32>, STEP_K * B_STRIDE>;

// Blocks of 4 × 4 of both panels, those of a first, and how many of them an invocation brings at a time.
const A_BLOCKS: u32 = (TILE_M / 4u) * (STEP_K / 4u);
const BLOCKS: u32 = A_BLOCKS + (TILE_N / 4u) * (STEP_K / 4u);
const INVOCATIONS: u32 = WORKGROUP_X * WORKGROUP_Y;
const LOADS: u32 = (BLOCKS + INVOCATIONS - 1u) / INVOCATIONS;

// Quad and first k of the i-th block of a panel: neighbouring invocations take neighbours in memory.
fn block_place(i: u32, quads: u32, contiguous_k: bool) -> vec2<u32> {
  let across = vec2<u32>(i % quads, 4u * (i / quads));
  let along = vec2<u32>(i / (STEP_K / 4u), 4u * (i % (STEP_K / 4u)));
  return select(across, along, contiguous_k);
}

fn a_place(i: u32) -> vec2<u32> {
  return block_place(i, TILE_M / 4u, A_CONTIGUOUS_K);
}

fn b_place(i: u32) -> vec2<u32> {
  return block_place(i - A_BLOCKS, TILE_N / 4u, B_CONTIGUOUS_K);
}

fn starts_of(i: u32, first_row: u32, first_column: u32) -> vec4<u32> {
  if (i < A_BLOCKS) {
    return a_starts(first_row + 4u * a_place(i).x + QUAD);
  }
  return b_starts(first_column + 4u * b_place(i).x);
}

// As memory holds it: nothing is done to a block before it is staged, so that nothing waits for it.
fn load(i: u32, starts: vec4<u32>, first_k: u32, before: mat4x4<Element>) -> mat4x4<Element> {
  var block = before;
  if (i < A_BLOCKS) {
    block = a_stored_block(starts, first_k + a_place(i).y);
  } else if (i < BLOCKS) {
    block = b_stored_block(starts, first_k + b_place(i).y);
  }
  return block;
}

fn stage(i: u32, stored: mat4x4<Element>, first_k: u32, end_k: u32) {
  if (i < A_BLOCKS) {
    let place = a_place(i);
    let block = a_panel_block(stored, first_k + place.y, end_k);
    let at = place.y * A_STRIDE + place.x;
    panel_a[at] = block[0];
    panel_a[at + A_STRIDE] = block[1];
    panel_a[at + 2u * A_STRIDE] = block[2];
    panel_a[at + 3u * A_STRIDE] = block[3];
  } else if (i < BLOCKS) {
    let place = b_place(i);
    let block = b_panel_block(stored, first_k + place.y, end_k);
    let at = place.y * B_STRIDE + place.x;
    panel_b[at] = block[0];
    panel_b[at + B_STRIDE] = block[1];
    panel_b[at + 2u * B_STRIDE] = block[2];
    panel_b[at + 3u * B_STRIDE] = block[3];
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

  var starts: array<vec4<u32>, LOADS>;
  var ahead: array<mat4x4<Element>, LOADS>;
  for (var i = 0u; i < LOADS; i++) { //@ unroll
    starts[i] = starts_of(i * INVOCATIONS + invocation, first_row, first_column);
    ahead[i] = load(i * INVOCATIONS + invocation, starts[i], part.begin, mat4x4<Element>());
  }
  var sums: array<mat4x4<f32>, ROW_BLOCKS * COLUMN_BLOCKS>;
  for (var k = part.begin; k < part.end; k += STEP_K) {
    for (var i = 0u; i < LOADS; i++) { //@ unroll
      stage(i * INVOCATIONS + invocation, ahead[i], k, part.end);
    }
    workgroupBarrier();
    // What comes next is on its way while these panels are multiplied.
    for (var i = 0u; i < LOADS; i++) { //@ unroll
      ahead[i] = load(i * INVOCATIONS + invocation, starts[i], k + STEP_K, ahead[i]);
    }
    for (var quad_k = 0u; quad_k < STEP_K / 4u; quad_k++) {
      let step_k = 4u * quad_k;
      for (var more_k = 0u; more_k < 4u; more_k++) { //@ unroll
        var rows: array<vec4<f32>, ROW_BLOCKS>;
        for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
          rows[block] = panel_a[(step_k + more_k) * A_STRIDE + block * WORKGROUP_Y + y];
        }
        for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
          let columns = panel_b[(step_k + more_k) * B_STRIDE + column * WORKGROUP_X + x];
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
