// Included by `//@ include matmul_left_columns`: loads of a [k, m], whose columns are rows of c.
const A_CONTIGUOUS_K = false;

// Rows of c in a block of 4: neighbours, which one quad of a holds.
fn block_rows(first_row: u32, invocation: u32, block: u32, stride: u32) -> vec4<u32> {
  return first_row + 4u * (block * stride + invocation) + QUAD;
}

// Where 4 rows of c are in each row of a: the quad that holds them, in x.
fn a_starts(rows: vec4<u32>) -> vec4<u32> {
  return min(rows, vec4<u32>(params.m - 1u)) >> vec4<u32>(2u);
}

// 4 rows of c of one k, as memory holds them.
fn a_stored(start: u32, k: u32) -> vec4<Element> {
  return a[k * (params.m >> 2u) + start];
}

// From the live k on 0.
fn a_live(quad: vec4<Element>, k: u32, end_k: u32) -> vec4<Element> {
  return select(vec4<Element>(), quad, k < end_k);
}

// The last k, for those that are not there.
fn a_last_k(k: u32) -> u32 {
  return min(k, params.k - 1u);
}

fn a_quad(start: u32, k: u32, end_k: u32) -> vec4<f32> {
  return vec4<f32>(a_live(a_stored(start, a_last_k(k)), k, end_k));
}

// 4 k (components) of 4 rows of c (columns of the matrix).
fn a_block(starts: vec4<u32>, k: u32, end_k: u32) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(
    a_quad(starts.x, k, end_k),
    a_quad(starts.x, k + 1u, end_k),
    a_quad(starts.x, k + 2u, end_k),
    a_quad(starts.x, k + 3u, end_k),
  ));
}
