// Included by `//@ include matmul_subgroup`: a product in registers; LANES = 4 · PARTS invocations of a
// subgroup load one quad of b each and pass it to the others, which have the same columns. Devices that
// load lane by lane (lavapipe) so load a fraction of what matmul_registers does.
//
// A workgroup makes 4 · ROW_BLOCKS · WORKGROUP_X rows × LOADS · LANES columns:
// workgroups = [ceil(n / columns), ceil(m / rows), parts of k].
// Every subgroup must hold a multiple of LANES active invocations: LANES is at most subgroupMinSize;
// WORKGROUP_X is a multiple of LANES and, unless it is below subgroupMinSize, of subgroupMaxSize.
// lavapipe: the defaults. SwiftShader: WORKGROUP_X 4, ROW_BLOCKS 2, LOADS 8, PARTS 1.
//@ const WORKGROUP_X: u32 = 8
//@ const ROW_BLOCKS: u32 = 1
//@ const LOADS: u32 = 3
//@ const PARTS: u32 = 2
//@ enable subgroups

const LANES: u32 = 4u * PARTS;

// A block of b as `b_block` returns it, out of what 4 invocations loaded.
fn b_shuffled(own: vec4<f32>, first: u32) -> mat4x4<f32> {
  return b_turn(mat4x4<f32>(
    subgroupShuffle(own, first),
    subgroupShuffle(own, first + 1u),
    subgroupShuffle(own, first + 2u),
    subgroupShuffle(own, first + 3u),
  ));
}

fn multiply(tile: vec3<u32>, invocation: u32, subgroup_invocation: u32) {
  let live_m = live_count(params.m_count, params.m);
  let first_row = tile.y * (4u * ROW_BLOCKS * WORKGROUP_X);
  let first_column = tile.x * (LOADS * LANES);
  let part = part_of_k(tile.z);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n) || part.beyond) {
    return;
  }

  var row_starts: array<vec4<u32>, ROW_BLOCKS>;
  for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
    row_starts[block] = a_starts(block_rows(first_row, invocation, block, WORKGROUP_X));
  }
  let lane = subgroup_invocation % LANES;
  let lane_k = b_lane_k(lane);
  var column_starts: array<u32, LOADS>;
  for (var load = 0u; load < LOADS; load++) { //@ unroll
    column_starts[load] = b_start(first_column + load * LANES + lane);
  }

  var sums: array<mat4x4<f32>, ROW_BLOCKS * LOADS * PARTS>;
  for (var k = part.begin; k < part.end; k += 4u) {
    var rows_k: array<mat4x4<f32>, ROW_BLOCKS>;
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      rows_k[block] = a_block(row_starts[block], k, part.end);
    }
    for (var load = 0u; load < LOADS; load++) { //@ unroll
      let own = b_quad(column_starts[load], k + lane_k, part.end);
      for (var from = 0u; from < PARTS; from++) { //@ unroll
        let columns_k = b_shuffled(own, 4u * from);
        for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
          sums[(load * PARTS + from) * ROW_BLOCKS + block] += columns_k * rows_k[block];
        }
      }
    }
  }

  // Loops at run time around a single store: drivers that write lane by lane compile each store for long. The
  // loops begin at no constant, else drivers unroll them.
  let first_quad = first_column >> 2u;
  let end_quad = min(first_quad + LOADS * PARTS, params.n >> 2u);
  for (var quad = first_quad; quad < end_quad; quad++) {
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      var sum: mat4x4<f32>;
      for (var load = 0u; load < LOADS; load++) { //@ unroll
        for (var from = 0u; from < PARTS; from++) { //@ unroll
          if (quad - first_quad == load * PARTS + from) {
            sum = sums[(load * PARTS + from) * ROW_BLOCKS + block];
          }
        }
      }
      let rows = block_rows(first_row, invocation, block, WORKGROUP_X);
      for (var turn = 4u * quad; turn < 4u * quad + 4u; turn++) {
        let i = turn - 4u * quad;
        let row = rows.x + i * (rows.y - rows.x);
        let own = select(select(sum[0], sum[1], i == 1u), select(sum[2], sum[3], i == 3u), i > 1u);
        if (row < live_m) {
          write_quad((tile.z * params.m + row) * (params.n >> 2u) + quad, quad, own * params.scale);
        }
      }
    }
  }
}
