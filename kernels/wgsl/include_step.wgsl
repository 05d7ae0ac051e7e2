// Included by `//@ include step`: what changes from step to step. Written by the host before each run.
struct Step {
  // Live sizes of this step, each at most the capacity that the plan was compiled for.
  // Slot 0 is unused; the other slots are named in packages/nn/src/axis.ts.
  counts: array<vec4<u32>, 2>,
  // Seed of this step's dropout masks.
  seed: u32,
  // Number of this update, from 1.
  optimizer_step: u32,
  learning_rate: f32,
  // 1 - beta1^t and sqrt(1 - beta2^t), computed in double precision on the host.
  bias_correction_1: f32,
  bias_correction_2_sqrt: f32,
  // Multiplies every gradient before clipping: 1 / (accumulation steps · loss_scale).
  gradient_scale: f32,
  // Where this run's part begins in a batch that is worked through in parts (gradient caching), else 0.
  // Encoder plans: token and sequence. Tiles of the loss: rows of the embeddings of the tile's first
  // query and first candidate.
  begins: vec2<u32>,
  // Multiplies the loss, and so every gradient, to keep them within f16; 1 in full precision. Every kernel with
  // which a loss begins its backward multiplies by it.
  loss_scale: f32,
}
@group(0) @binding(17) var<uniform> step: Step;

// How many of `capacity` there are in this step; slot 0 means all of them.
fn live_count(slot: u32, capacity: u32) -> u32 {
  return select(min(capacity, step.counts[slot >> 2u][slot & 3u]), capacity, slot == 0u);
}

// A part's beginning: slot 1 is begins.x, slot 2 begins.y, slot 0 the beginning of the tensor.
fn part_begin(slot: u32) -> u32 {
  return select(select(step.begins.y, step.begins.x, slot == 1u), 0u, slot == 0u);
}
