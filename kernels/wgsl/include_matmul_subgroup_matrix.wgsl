// Included by `//@ include matmul_subgroup_matrix`: a product on matrix units. Panels of a and b go through
// workgroup memory, where what is beyond the live k is 0 (a load of a matrix beyond a buffer's end returns
// other elements, not 0); each subgroup sums FRAGMENTS_M × FRAGMENTS_N matrices of MATRIX_M × MATRIX_N.
//
// A workgroup makes TILE_M rows × TILE_N columns: workgroups = [ceil(n / TILE_N), ceil(m / TILE_M), parts of k].
// MATRIX_M, MATRIX_N, MATRIX_K, Component and Sum are one configuration of the device's. All subgroups are of
// SUBGROUP_SIZE: either the device has no others, or PIN_SUBGROUP_SIZE has it make them so.
// STEP_K is a multiple of MATRIX_K and 4, TILE_M, TILE_N and K_PER_PART of 4; WORKGROUP_X is a multiple of the quads in a
// row of a panel.
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
const INVOCATIONS: u32 = WORKGROUP_X;
// What a subgroup has of k in one go over the panels: slices of MATRIX_K.
const SLICES: u32 = STEP_K / MATRIX_K;
// Each matrix of a panel is an array of its own: from a place that it knows, Dawn need not check every load.
// Their rows are padded to begin in different banks of workgroup memory.
const PADDING_M: u32 = select(0u, 8u, MATRIX_M % 16u == 0u);
const PADDING_N: u32 = select(0u, 8u, MATRIX_N % 16u == 0u);
const PADDING_K: u32 = select(0u, 8u, MATRIX_K % 16u == 0u);

alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<Sum, MATRIX_N, MATRIX_M>;

// One matrix of each subgroup, on its way to c.
const MATRIX_ELEMENTS: u32 = MATRIX_M * MATRIX_N;
var<workgroup> finished: array<array<Sum, MATRIX_ELEMENTS>, SUBGROUPS>;

// What is on its way is carried as bits: as halves, some compilers give each a register of its own.
alias Carried = ElementBits;

fn carry(quad: vec4<Element>) -> Carried {
  return bitcast<Carried>(quad);
}

fn carried(quad: Carried) -> vec4<Element> {
  return bitcast<vec4<Element>>(quad);
}

fn multiply(tile: vec3<u32>, invocation: u32, subgroup: u32) {
  let live_m = live_count(params.m_count, params.m);
  let first_row = tile.y * TILE_M;
  let first_column = tile.x * TILE_N;
  let part = part_of_k(tile.z);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n) || part.beyond) {
    return;
  }
  let left_starts = starts_of_a(first_row, invocation);
  let right_starts = starts_of_b(first_column, invocation);
  var left_quads = load_a(left_starts, part.begin, invocation);
  var right_quads = load_b(right_starts, part.begin, invocation);
  // Without a value, RADV of Mesa 25.0 begins them with what lies in its memory.
  var sums = array<Sums, FRAGMENTS_M * FRAGMENTS_N>();
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
    for (var slice = 0u; slice < SLICES; slice++) {
      var left: array<Left, FRAGMENTS_M>;
      for (var row = 0u; row < FRAGMENTS_M; row++) { //@ unroll
        left[row] = load_left(subgroup / SUBGROUPS_N, row, slice);
      }
      for (var column = 0u; column < FRAGMENTS_N; column++) { //@ unroll
        let right = load_right(subgroup, column, slice);
        for (var row = 0u; row < FRAGMENTS_M; row++) { //@ unroll
          sums[row * FRAGMENTS_N + column] =
            subgroupMatrixMultiplyAccumulate(left[row], right, sums[row * FRAGMENTS_N + column]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var row = 0u; row < FRAGMENTS_M; row++) { //@ unroll
    for (var column = 0u; column < FRAGMENTS_N; column++) { //@ unroll
      subgroupMatrixStore<row_major>(
        &finished[subgroup % SUBGROUPS], 0u, sums[row * FRAGMENTS_N + column], MATRIX_N);
      workgroupBarrier();
      write_finished(tile, row * MATRIX_M, column * MATRIX_N, live_m, invocation);
      workgroupBarrier();
    }
  }
}

// Quads of finished matrices that an invocation writes.
const WRITES: u32 = (MATRIX_ELEMENTS + 4u * SUBGROUP_SIZE - 1u) / (4u * SUBGROUP_SIZE);

// Every subgroup's matrix at that place of its own rows and columns, shared out over the workgroup.
fn write_finished(tile: vec3<u32>, row: u32, column: u32, live_m: u32, invocation: u32) {
  for (var write = 0u; write < WRITES; write++) { //@ unroll
    let i = write * WORKGROUP_X + invocation;
    let subgroup = (i / (MATRIX_ELEMENTS / 4u)) % SUBGROUPS;
    let quad_within = i % (MATRIX_ELEMENTS / 4u);
    let own_row = quad_within / (MATRIX_N / 4u);
    let own_column = 4u * (quad_within % (MATRIX_N / 4u));
    let c_row = tile.y * TILE_M + (subgroup / SUBGROUPS_N) * (FRAGMENTS_M * MATRIX_M) + row + own_row;
    let c_column = tile.x * TILE_N + (subgroup % SUBGROUPS_N) * (FRAGMENTS_N * MATRIX_N) + column + own_column;
    if (i < SUBGROUPS * (MATRIX_ELEMENTS / 4u) && c_row < live_m && c_column < params.n) {
      let at = own_row * MATRIX_N + own_column;
      let sum = vec4<f32>(
        f32(finished[subgroup][at]),
        f32(finished[subgroup][at + 1u]),
        f32(finished[subgroup][at + 2u]),
        f32(finished[subgroup][at + 3u]),
      );
      let quad = c_column >> 2u;
      write_quad((tile.z * params.m + c_row) * (params.n >> 2u) + quad, quad, sum * params.scale);
    }
  }
}
