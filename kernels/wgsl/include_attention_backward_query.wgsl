// Included by `//@ include attention_backward_query`: what the gradient of queries is made of and where it goes,
// whatever the strategy.
//
// Shapes    d_context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column; d_q with those of q; statistics [tokens, heads] of (log-sum-exp, d_context ·
//           context); bounds [tokens] of (first, end) token of the token's own sequence.
// Writes    overwrites d_q, only its own columns.
//@ include attention_params

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(4) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> d_q: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

// By tiles: own rows are queries and gradients of their contexts, the others that they meet keys and values.
const OWN_PANELS: u32 = 2u;
const QUERIES: u32 = 0u;
const GRADIENTS: u32 = 1u;
const KEYS: u32 = 0u;
const VALUES: u32 = 1u;

fn own_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (matrix == QUERIES) {
    return q[q_at(token, head) + column];
  }
  return d_context[context_at(token, head) + column];
}

fn other_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (matrix == KEYS) {
    return k[k_at(token, head) + column];
  }
  return v[v_at(token, head) + column];
}
