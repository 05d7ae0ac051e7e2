// Included by `//@ include matmul_right_rows`: loads of b [n, k], whose rows are columns of c.
const B_CONTIGUOUS_K = true;

// Where a column of c begins in b.
fn b_start(column: u32) -> u32 {
  return min(column, params.n - 1u) * (params.k >> 2u);
}

// 4 k of the column that starts there, as memory holds them.
fn b_stored(start: u32, k: u32) -> vec4<Element> {
  return b[start + (k >> 2u)];
}

// Those from the live k on as 0.
fn b_live(quad: vec4<Element>, k: u32, end_k: u32) -> vec4<Element> {
  return select(vec4<Element>(), quad, k + QUAD < vec4<u32>(end_k));
}

fn b_quad(start: u32, k: u32, end_k: u32) -> vec4<f32> {
  return vec4<f32>(b_live(b_stored(start, k), k, end_k));
}

// The last 4 k, for those that are not there.
fn b_last_k(k: u32) -> u32 {
  return min(k, params.k - 4u);
}

// Where 4 neighbouring columns of c begin.
fn b_starts(column: u32) -> vec4<u32> {
  return vec4<u32>(b_start(column), b_start(column + 1u), b_start(column + 2u), b_start(column + 3u));
}

// 4 columns of c (components) of 4 k (columns of the matrix).
fn b_block(starts: vec4<u32>, k: u32, end_k: u32) -> mat4x4<f32> {
  return b_turn(mat4x4<f32>(
    b_quad(starts.x, k, end_k),
    b_quad(starts.y, k, end_k),
    b_quad(starts.z, k, end_k),
    b_quad(starts.w, k, end_k),
  ));
}

// The k, after the first of 4, that the quad of invocation `lane` of 4 neighbours begins with.
fn b_lane_k(lane: u32) -> u32 {
  return 0u;
}

// A block as `b_block` returns it, of the quads of 4 neighbouring invocations.
fn b_turn(quads: mat4x4<f32>) -> mat4x4<f32> {
  return transpose(quads);
}
