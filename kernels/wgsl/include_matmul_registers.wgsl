// Included by `//@ include matmul_registers`: a product in registers alone, without workgroup memory;
// each invocation loads all that it needs.
//
// A workgroup makes 4 · ROW_BLOCKS · WORKGROUP_X rows × 4 · COLUMN_BLOCKS columns:
// workgroups = [ceil(n / columns), ceil(m / rows), parts of k].
// SwiftShader, where there are no subgroups: 4 × 4 blocks.
//@ const WORKGROUP_X: u32 = 8
//@ const ROW_BLOCKS: u32 = 2
//@ const COLUMN_BLOCKS: u32 = 2

fn multiply(tile: vec3<u32>, invocation: u32) {
  let live_m = live_count(params.m_count, params.m);
  let first_row = tile.y * (4u * ROW_BLOCKS * WORKGROUP_X);
  let first_column = tile.x * (4u * COLUMN_BLOCKS);
  let part = part_of_k(tile.z);
  if (first_row >= live_m || first_column >= live_count(params.n_count, params.n) || part.beyond) {
    return;
  }

  var row_starts: array<vec4<u32>, ROW_BLOCKS>;
  for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
    row_starts[block] = a_starts(block_rows(first_row, invocation, block, WORKGROUP_X));
  }
  var column_starts: array<vec4<u32>, COLUMN_BLOCKS>;
  for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
    column_starts[column] = b_starts(first_column + 4u * column);
  }

  var sums: array<mat4x4<f32>, ROW_BLOCKS * COLUMN_BLOCKS>;
  for (var k = part.begin; k < part.end; k += 4u) {
    var rows_k: array<mat4x4<f32>, ROW_BLOCKS>;
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      rows_k[block] = a_block(row_starts[block], k, part.end);
    }
    for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
      let columns_k = b_block(column_starts[column], k, part.end);
      for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
        sums[column * ROW_BLOCKS + block] += columns_k * rows_k[block];
      }
    }
  }

  for (var column = 0u; column < COLUMN_BLOCKS; column++) { //@ unroll
    for (var block = 0u; block < ROW_BLOCKS; block++) { //@ unroll
      let rows = block_rows(first_row, invocation, block, WORKGROUP_X);
      write_block(tile.z, rows, live_m, (first_column >> 2u) + column, sums[column * ROW_BLOCKS + block]);
    }
  }
}
