// Included by `//@ include matmul_ahead_right_rows`: TILE_N rows × STEP_K of b [n, k], on their way
// to a panel in workgroup memory. INVOCATIONS bring them, a multiple of B_QUADS.
//@ include matmul_right_rows

// Invocations side by side bring a row, a quad each; all of them, B_STEP rows at a time.
const B_QUADS: u32 = STEP_K / 4u;
const B_ROWS: u32 = TILE_N;
const B_STEP: u32 = INVOCATIONS / B_QUADS;
const B_LOADS: u32 = (B_ROWS + B_STEP - 1u) / B_STEP;
alias BStarts = array<u32, B_LOADS>;
alias BQuads = array<Carried, B_LOADS>;

fn starts_of_b(first_column: u32, invocation: u32) -> BStarts {
  var starts: BStarts;
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    starts[load] = b_start(first_column + load * B_STEP + invocation / B_QUADS);
  }
  return starts;
}

// As memory holds them, of any k. No branch, and nothing is done to them before they are staged: compilers wait for
// what they move or change.
fn load_b(starts: BStarts, first_k: u32, invocation: u32) -> BQuads {
  var quads: BQuads;
  let k = b_last_k(first_k + 4u * (invocation % B_QUADS));
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    quads[load] = carry(b_stored(starts[load], k));
  }
  return quads;
}

// Those from the live k on as 0.
fn live_b(stored: BQuads, first_k: u32, end_k: u32, invocation: u32) -> BQuads {
  var quads: BQuads;
  let k = first_k + 4u * (invocation % B_QUADS);
  for (var load = 0u; load < B_LOADS; load++) { //@ unroll
    let quad = carried(stored[load]);
    quads[load] = carry(b_live(quad, k, end_k));
  }
  return quads;
}
