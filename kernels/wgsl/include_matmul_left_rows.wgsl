// Included by `//@ include matmul_left_rows`: loads of a [m, k], whose rows are rows of c.
const A_CONTIGUOUS_K = true;

// Rows of c in a block of 4: `stride` apart, so that neighbouring invocations write neighbours.
fn block_rows(first_row: u32, invocation: u32, block: u32, stride: u32) -> vec4<u32> {
  return first_row + invocation + stride * (4u * block + QUAD);
}

// Where 4 rows of c begin in a.
fn a_starts(rows: vec4<u32>) -> vec4<u32> {
  return min(rows, vec4<u32>(params.m - 1u)) * (params.k >> 2u);
}

// 4 k of the row that starts there, as memory holds them.
fn a_stored(start: u32, k: u32) -> vec4<Element> {
  return a[start + (k >> 2u)];
}

// Those from the live k on as 0.
fn a_live(quad: vec4<Element>, k: u32, end_k: u32) -> vec4<Element> {
  return select(vec4<Element>(), quad, k + QUAD < vec4<u32>(end_k));
}

fn a_quad(start: u32, k: u32, end_k: u32) -> vec4<f32> {
  return vec4<f32>(a_live(a_stored(start, k), k, end_k));
}

// The last 4 k, for those that are not there.
fn a_last_k(k: u32) -> u32 {
  return min(k, params.k - 4u);
}

// 4 k (components) of 4 rows of c (columns of the matrix).
fn a_block(starts: vec4<u32>, k: u32, end_k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(
    a_quad(starts.x, k, end_k),
    a_quad(starts.y, k, end_k),
    a_quad(starts.z, k, end_k),
    a_quad(starts.w, k, end_k),
  );
}
