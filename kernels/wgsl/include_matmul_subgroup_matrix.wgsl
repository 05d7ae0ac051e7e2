// Included by `//@ include matmul_subgroup_matrix`: a product on matrix units. Panels of a and b go through
// workgroup memory, where what is beyond the live k is 0 (a load of a matrix beyond a buffer's end returns
// other elements, not 0); each subgroup sums FRAGMENTS_M × FRAGMENTS_N matrices of MATRIX_M × MATRIX_N.
//
// A workgroup makes TILE_M rows × TILE_N columns: workgroups = [ceil(n / TILE_N), ceil(m / TILE_M), parts of k].
// MATRIX_M, MATRIX_N, MATRIX_K, Component and Sum are one configuration of the device's. All subgroups are of
// SUBGROUP_SIZE: either the device has no others, or PIN_SUBGROUP_SIZE has it make them so.
// STEP_K is a multiple of MATRIX_K and 4, TILE_M, TILE_N and K_PER_PART of 4.
// Precision: elements are rounded to Component; sums are Sum.
// No subgroup arithmetic here: one module with both has crashed a driver.
//
// Source: tiles and padded rows as onnxruntime's and llama.cpp's WebGPU kernels have them.
//@ const MATRIX_M: u32 = 8
//@ const MATRIX_N: u32 = 8
//@ const MATRIX_K: u32 = 8
//@ const SUBGROUP_SIZE: u32 = 8
//@ const PIN_SUBGROUP_SIZE: bool = false
//@ const SUBGROUPS_M: u32 = 2
//@ const SUBGROUPS_N: u32 = 2
//@ const FRAGMENTS_M: u32 = 2
//@ const FRAGMENTS_N: u32 = 2
//@ const STEP_K: u32 = 16
//@ type Component: f16 | f32
//@ type Sum: f32 | f16
//@ enable subgroups
//@ enable subgroup_matrix

const TILE_M: u32 = SUBGROUPS_M * FRAGMENTS_M * MATRIX_M;
const TILE_N: u32 = SUBGROUPS_N * FRAGMENTS_N * MATRIX_N;
const SUBGROUPS: u32 = SUBGROUPS_M * SUBGROUPS_N;
const WORKGROUP_X: u32 = SUBGROUPS * SUBGROUP_SIZE;
// Rows of a panel begin in different banks of workgroup memory.
const PADDING: u32 = 8u;

alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<Sum, MATRIX_N, MATRIX_M>;

// One matrix of each subgroup, on its way to c.
const MATRIX_ELEMENTS: u32 = MATRIX_M * MATRIX_N;
var<workgroup> finished: array<Sum, SUBGROUPS * MATRIX_ELEMENTS>;

fn multiply(tile: vec3<u32>, invocation: u32, subgroup: u32) {
  let live_m = live_count(params.m_count, params.m);
  let first_row = tile.y * TILE_M;
  let first_column = tile.x * TILE_N;
  let part = part_of_k(tile.z);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n) || part.beyond) {
    return;
  }
  let own_row = (subgroup / SUBGROUPS_N) * (FRAGMENTS_M * MATRIX_M);
  let own_column = (subgroup % SUBGROUPS_N) * (FRAGMENTS_N * MATRIX_N);

  var sums: array<Sums, FRAGMENTS_M * FRAGMENTS_N>;
  for (var k = part.begin; k < part.end; k += STEP_K) {
    stage_a(first_row, k, part.end, invocation);
    stage_b(first_column, k, part.end, invocation);
    workgroupBarrier();
    for (var step_k = 0u; step_k < STEP_K; step_k += MATRIX_K) {
      var left: array<Left, FRAGMENTS_M>;
      for (var row = 0u; row < FRAGMENTS_M; row++) { //@ unroll
        left[row] = load_left(own_row + row * MATRIX_M, step_k);
      }
      for (var column = 0u; column < FRAGMENTS_N; column++) { //@ unroll
        let right = load_right(own_column + column * MATRIX_N, step_k);
        for (var row = 0u; row < FRAGMENTS_M; row++) { //@ unroll
          sums[row * FRAGMENTS_N + column] =
            subgroupMatrixMultiplyAccumulate(left[row], right, sums[row * FRAGMENTS_N + column]);
        }
      }
    }
    workgroupBarrier();
  }

  // One copy of the writing, which is long, for all matrices; each is at a literal index.
  for (var one = 0u; one < FRAGMENTS_M * FRAGMENTS_N; one++) {
    for (var row = 0u; row < FRAGMENTS_M; row++) { //@ unroll
      for (var column = 0u; column < FRAGMENTS_N; column++) { //@ unroll
        if (one == row * FRAGMENTS_N + column) {
          subgroupMatrixStore<row_major>(
            &finished, subgroup * MATRIX_ELEMENTS, sums[row * FRAGMENTS_N + column], MATRIX_N);
        }
      }
    }
    workgroupBarrier();
    write_finished(tile, (one / FRAGMENTS_N) * MATRIX_M, (one % FRAGMENTS_N) * MATRIX_N, live_m, invocation);
    workgroupBarrier();
  }
}

// Every subgroup's matrix at that place of its own rows and columns, shared out over the workgroup.
fn write_finished(tile: vec3<u32>, row: u32, column: u32, live_m: u32, invocation: u32) {
  for (var i = 4u * invocation; i < SUBGROUPS * MATRIX_ELEMENTS; i += 4u * WORKGROUP_X) {
    let subgroup = i / MATRIX_ELEMENTS;
    let within = i % MATRIX_ELEMENTS;
    let c_row = tile.y * TILE_M + (subgroup / SUBGROUPS_N) * (FRAGMENTS_M * MATRIX_M) + row + within / MATRIX_N;
    let c_column = tile.x * TILE_N + (subgroup % SUBGROUPS_N) * (FRAGMENTS_N * MATRIX_N) + column + within % MATRIX_N;
    if (c_row < live_m && c_column < params.n) {
      let sum = vec4<f32>(f32(finished[i]), f32(finished[i + 1u]), f32(finished[i + 2u]), f32(finished[i + 3u]));
      let quad = c_column >> 2u;
      write_quad((tile.z * params.m + c_row) * (params.n >> 2u) + quad, quad, sum * params.scale);
    }
  }
}
