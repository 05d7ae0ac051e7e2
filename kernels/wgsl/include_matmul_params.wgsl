// Included by `//@ include matmul_params`: what every matrix product c [m, n] is given, and how it ends.
//
// A file that includes this has its own `write_quad`, which stores or adds 4 columns of a row of c.
//
// k may be worked through in parts of K_PER_PART, each to a matrix of its own, for another kernel to sum:
// a gradient of a weight has a small c and a huge k. 0: no parts.
//@ const K_PER_PART: u32 = 0
//@ include step

const QUAD = vec4<u32>(0u, 1u, 2u, 3u);

struct Params {
  // Sizes that memory has; multiples of 4 where an axis is the last of a tensor.
  m: u32,
  n: u32,
  k: u32,
  // Slots of the live sizes: tiles beyond them return at once, elements from the live k on count as 0
  // whatever memory holds, rows of c from the live m on are left alone, columns from the live n on hold
  // anything.
  m_count: u32,
  n_count: u32,
  k_count: u32,
  // Multiplies the sums before anything is added to them.
  scale: f32,
  // 1: the subgroup kernels add to c. Others have the constant ACCUMULATE.
  accumulate: u32,
}

// A part of k, and whether it has nothing to do.
struct PartOfK {
  begin: u32,
  end: u32,
  beyond: bool,
}

fn part_of_k(part: u32) -> PartOfK {
  let live_k = live_count(params.k_count, params.k);
  if (K_PER_PART == 0u) {
    return PartOfK(0u, live_k, false);
  }
  let begin = part * K_PER_PART;
  return PartOfK(begin, min(begin + K_PER_PART, live_k), begin >= live_k);
}

// Writes 4 rows (columns of the matrix) × 4 columns of c, and no further than c reaches.
fn write_block(part: u32, rows: vec4<u32>, live_m: u32, quad: u32, block: mat4x4<f32>) {
  if (quad >= (params.n >> 2u)) {
    return;
  }
  let at = (part * params.m + rows) * (params.n >> 2u) + quad;
  if (rows.x < live_m) { write_quad(at.x, quad, block[0] * params.scale); }
  if (rows.y < live_m) { write_quad(at.y, quad, block[1] * params.scale); }
  if (rows.z < live_m) { write_quad(at.z, quad, block[2] * params.scale); }
  if (rows.w < live_m) { write_quad(at.w, quad, block[3] * params.scale); }
}
