// Included by `//@ include matmul_ahead_right_columns`: STEP_K × TILE_N columns of b [k, n], on their way
// to a panel in workgroup memory. INVOCATIONS bring them, a multiple of B_QUADS.
//@ include matmul_right_columns

// Invocations side by side bring a row, a quad each; all of them, B_STEP rows at a time.
const B_QUADS: u32 = TILE_N / 4u;
const B_ROWS: u32 = STEP_K;
const B_STEP: u32 = INVOCATIONS / B_QUADS;
const B_LOADS: u32 = (B_ROWS + B_STEP - 1u) / B_STEP;
alias BStarts = u32;
alias BQuads = array<Carried, B_LOADS>;

fn starts_of_b(first_column: u32, invocation: u32) -> BStarts {
  return b_start(first_column + 4u * (invocation % B_QUADS));
}

// As memory holds them, of any k. No branch, and nothing is done to them before they are staged: compilers wait for
// what they move or change.
fn load_b(start: BStarts, first_k: u32, invocation: u32) -> BQuads {
  var quads: BQuads;
  let k = first_k + invocation / B_QUADS;
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    quads[load] = carry(b_stored(start, b_last_k(k + load * B_STEP)));
  }
  return quads;
}

// Those from the live k on as 0.
fn live_b(stored: BQuads, first_k: u32, end_k: u32, invocation: u32) -> BQuads {
  var quads: BQuads;
  let k = first_k + invocation / B_QUADS;
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let quad = carried(stored[load]);
    quads[load] = carry(b_live(quad, k + load * B_STEP, end_k));
  }
  return quads;
}
