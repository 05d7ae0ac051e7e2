// Included by `//@ include attention_backward_key_value`: what the gradients of keys and values are made of and
// where they go, whatever the strategy.
//
// Shapes    d_context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column; d_k and d_v with those of k and v; statistics [tokens, heads] of (log-sum-exp,
//           d_context · context) of each query; bounds [tokens] of (first, end) token of the token's
//           own sequence. With JOINT both gradients go into d_k and d_v is not touched: one buffer
//           cannot be bound as two outputs.
// Writes    overwrites d_k and d_v, only their own columns.
//@ const JOINT: bool = false
//@ include attention_params

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(4) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> d_k: array<vec4<Element>>;
@group(0) @binding(7) var<storage, read_write> d_v: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

fn write_d_value(at: u32, gradient: vec4<f32>) {
  if (JOINT) {
    d_k[at] = vec4<Element>(gradient);
  } else {
    d_v[at] = vec4<Element>(gradient);
  }
}

// By tiles: own rows are keys and values, the others that they meet queries and gradients of their contexts.
const OWN_PANELS: u32 = 2u;
const KEYS: u32 = 0u;
const VALUES: u32 = 1u;
const QUERIES: u32 = 0u;
const GRADIENTS: u32 = 1u;

fn own_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (matrix == KEYS) {
    return k[k_at(token, head) + column];
  }
  return v[v_at(token, head) + column];
}

fn other_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (matrix == QUERIES) {
    return q[q_at(token, head) + column];
  }
  return d_context[context_at(token, head) + column];
}
