// Included by `//@ include matmul_ahead_left_columns`: STEP_K × TILE_M columns of a [k, m], on their way
// to a panel in workgroup memory. INVOCATIONS bring them, a multiple of A_QUADS.
//@ include matmul_left_columns

// Invocations side by side bring a row, a quad each; all of them, A_STEP rows at a time.
const A_QUADS: u32 = TILE_M / 4u;
const A_ROWS: u32 = STEP_K;
const A_STEP: u32 = INVOCATIONS / A_QUADS;
const A_LOADS: u32 = (A_ROWS + A_STEP - 1u) / A_STEP;
alias AStarts = u32;
alias AQuads = array<Carried, A_LOADS>;

fn starts_of_a(first_row: u32, invocation: u32) -> AStarts {
  return a_starts(vec4<u32>(first_row + 4u * (invocation % A_QUADS))).x;
}

// As memory holds them, of any k. No branch, and nothing is done to them before they are staged: compilers wait for
// what they move or change.
fn load_a(start: AStarts, first_k: u32, invocation: u32) -> AQuads {
  var quads: AQuads;
  let k = first_k + invocation / A_QUADS;
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    quads[load] = carry(a_stored(start, a_last_k(k + load * A_STEP)));
  }
  return quads;
}

// Those from the live k on as 0.
fn live_a(stored: AQuads, first_k: u32, end_k: u32, invocation: u32) -> AQuads {
  var quads: AQuads;
  let k = first_k + invocation / A_QUADS;
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let quad = carried(stored[load]);
    quads[load] = carry(a_live(quad, k + load * A_STEP, end_k));
  }
  return quads;
}
