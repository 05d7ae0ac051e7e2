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
  // Multiplies every gradient before clipping: 1 / accumulation steps.
  gradient_scale: f32,
  reserved_0: f32,
  reserved_1: f32,
}
@group(1) @binding(1) var<uniform> step: Step;

// How many of `capacity` there are in this step; slot 0 means all of them.
fn live_count(slot: u32, capacity: u32) -> u32 {
  return select(min(capacity, step.counts[slot >> 2u][slot & 3u]), capacity, slot == 0u);
}
