// Included by `//@ include matmul_right_columns`: loads of b [k, n], whose columns are columns of c.
const B_CONTIGUOUS_K = false;

// Where a column of c is in each row of b: the quad that holds it.
fn b_start(column: u32) -> u32 {
  return min(column, params.n - 1u) >> 2u;
}

// 4 columns of c of one k, as memory holds them.
fn b_stored(start: u32, k: u32) -> vec4<Element> {
  return b[k * (params.n >> 2u) + start];
}

// From the live k on 0.
fn b_live(quad: vec4<Element>, k: u32, end_k: u32) -> vec4<Element> {
  return select(vec4<Element>(), quad, k < end_k);
}

// The last k, for those that are not there.
fn b_last_k(k: u32) -> u32 {
  return min(k, params.k - 1u);
}

fn b_quad(start: u32, k: u32, end_k: u32) -> vec4<f32> {
  return vec4<f32>(b_live(b_stored(start, b_last_k(k)), k, end_k));
}

// Where 4 neighbouring columns of c are: one quad, in x.
fn b_starts(column: u32) -> vec4<u32> {
  return vec4<u32>(b_start(column));
}

// 4 columns of c (components) of 4 k (columns of the matrix).
fn b_block(starts: vec4<u32>, k: u32, end_k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(
    b_quad(starts.x, k, end_k),
    b_quad(starts.x, k + 1u, end_k),
    b_quad(starts.x, k + 2u, end_k),
    b_quad(starts.x, k + 3u, end_k),
  );
}

// The k, after the first of 4, that the quad of invocation `lane` of 4 neighbours begins with.
fn b_lane_k(lane: u32) -> u32 {
  return lane & 3u;
}

// A block as `b_block` returns it, of the quads of 4 neighbouring invocations.
fn b_turn(quads: mat4x4<f32>) -> mat4x4<f32> {
  return quads;
}
