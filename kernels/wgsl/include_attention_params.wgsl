// Included by `//@ include attention_params`: what every attention kernel over queries, keys and values is
// given. All strategies take the same, and save the same log-sum-exp, so that they may be mixed.
//@ include step
//@ include dropout

struct Params {
  tokens: u32,
  tokens_count: u32,
  heads: u32,
  // Of the scores: 1 / √(head size).
  scale: f32,
  dropout_site: u32,
  dropout_threshold: u32,
  dropout_keep_scale: f32,
  // In vectors of four columns.
  q_stride: u32,
  q_offset: u32,
  k_stride: u32,
  k_offset: u32,
  v_stride: u32,
  v_offset: u32,
}
