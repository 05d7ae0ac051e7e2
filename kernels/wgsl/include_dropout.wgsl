// Included by `//@ include dropout`: counter-based dropout. A mask bit is a pure function of
// (step seed, site, element), so that backward and recomputation draw the same mask.
//
// Hash: PCG output permutation on a chained state (Jarzynski & Olano, "Hash Functions for GPU
// Rendering", JCGT 9(3), 2020). The device test compares it with the TypeScript twin in
// packages/nn/src/dropout-mask.ts.
fn pcg_hash(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// A key for one dropout site of one step; `row` separates rows (or heads and rows) of a tensor. Rows are
// counted in the whole batch (step.begins.x and on), so that its parts draw the masks that it would.
fn dropout_key(seed: u32, site: u32, row: u32) -> u32 {
  return pcg_hash(pcg_hash(pcg_hash(seed) ^ site) ^ row);
}

// 0 for a dropped element, 1 / (1 - rate) for a kept one. `threshold` is rate · 2^32, rounded.
fn dropout_factor(key: u32, column: u32, threshold: u32, keep_scale: f32) -> f32 {
  return select(keep_scale, 0.0, pcg_hash(key ^ column) < threshold);
}

// The factors of four neighbouring elements, columns 4·column4 to 4·column4 + 3.
fn dropout_factor4(key: u32, column4: u32, threshold: u32, keep_scale: f32) -> vec4<f32> {
  let first = column4 * 4u;
  return vec4<f32>(
    dropout_factor(key, first, threshold, keep_scale),
    dropout_factor(key, first + 1u, threshold, keep_scale),
    dropout_factor(key, first + 2u, threshold, keep_scale),
    dropout_factor(key, first + 3u, threshold, keep_scale),
  );
}
