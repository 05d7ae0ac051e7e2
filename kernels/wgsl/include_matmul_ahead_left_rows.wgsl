// Included by `//@ include matmul_ahead_left_rows`: TILE_M rows × STEP_K of a [m, k], on their way
// to a panel in workgroup memory. INVOCATIONS bring them, a multiple of A_QUADS.
//@ include matmul_left_rows

// Invocations side by side bring a row, a quad each; all of them, A_STEP rows at a time.
const A_QUADS: u32 = STEP_K / 4u;
const A_ROWS: u32 = TILE_M;
const A_STEP: u32 = INVOCATIONS / A_QUADS;
const A_LOADS: u32 = (A_ROWS + A_STEP - 1u) / A_STEP;
alias AStarts = array<u32, A_LOADS>;
alias AQuads = array<Carried, A_LOADS>;

fn starts_of_a(first_row: u32, invocation: u32) -> AStarts {
  var starts: AStarts;
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    starts[load] = a_starts(vec4<u32>(first_row + load * A_STEP + invocation / A_QUADS)).x;
  }
  return starts;
}

// As memory holds them, of any k. No branch, and nothing is done to them before they are staged: compilers wait for
// what they move or change.
fn load_a(starts: AStarts, first_k: u32, invocation: u32) -> AQuads {
  var quads: AQuads;
  let k = a_last_k(first_k + 4u * (invocation % A_QUADS));
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    quads[load] = carry(a_stored(starts[load], k));
  }
  return quads;
}

// Those from the live k on as 0.
fn live_a(stored: AQuads, first_k: u32, end_k: u32, invocation: u32) -> AQuads {
  var quads: AQuads;
  let k = first_k + 4u * (invocation % A_QUADS);
  for (var load = 0u; load < A_LOADS; load++) { //@ unroll
    let quad = carried(stored[load]);
    quads[load] = carry(a_live(quad, k, end_k));
  }
  return quads;
}
