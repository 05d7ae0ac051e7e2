// Included by `//@ include attention_params`: the params of every attention kernel over queries, keys and
// values. All strategies have the same inputs and save the same log-sum-exp, so that they may be mixed.
//
// A file that includes this binds `params`.
//@ const HEAD_VECTORS: u32 = 8
//@ const HAS_DROPOUT: bool = false
//@ type Element: f32 | f16
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

// Where a head of a token begins in each matrix, and in its gradient.
fn q_at(token: u32, head: u32) -> u32 {
  return token * params.q_stride + params.q_offset + head * HEAD_VECTORS;
}

fn k_at(token: u32, head: u32) -> u32 {
  return token * params.k_stride + params.k_offset + head * HEAD_VECTORS;
}

fn v_at(token: u32, head: u32) -> u32 {
  return token * params.v_stride + params.v_offset + head * HEAD_VECTORS;
}

fn context_at(token: u32, head: u32) -> u32 {
  return (token * params.heads + head) * HEAD_VECTORS;
}

// The dropout key of a query of a head.
fn dropout_query_of(token: u32, head: u32) -> u32 {
  return dropout_key(step.seed, params.dropout_site, (step.begins.x + token) * params.heads + head);
}

// The dropout factor of one probability of a query; `key` is a position in the sequence.
fn dropout_factor_of(query: u32, key: u32) -> f32 {
  return dropout_factor(query, key, params.dropout_threshold, params.dropout_keep_scale);
}
