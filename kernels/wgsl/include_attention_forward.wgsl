// Included by `//@ include attention_forward`: what forward attention reads and writes, whatever the strategy.
//
// Shapes    context [tokens, heads · head size]; q, k, v the same, each with a row stride and a first
//           column, so that the three may be one [tokens, 3 · heads · head size] bound three times;
//           bounds [tokens] of (first, end) token of the token's own sequence; log_sum_exp
//           [tokens, heads] of the scaled scores.
// Writes    overwrites context and log_sum_exp, which backward needs.
//@ include attention_params

@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> context: array<vec4<Element>>;
@group(0) @binding(5) var<storage, read_write> log_sum_exp: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

// Lower than any score, and finite, so that differences are.
const LOWEST: f32 = -3.0e38;

// By tiles: own rows are queries, the others that they meet are keys and values.
const OWN_PANELS: u32 = 1u;
const QUERIES: u32 = 0u;
const KEYS: u32 = 0u;
const VALUES: u32 = 1u;

fn own_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  return q[q_at(token, head) + column];
}

fn other_vector(matrix: u32, token: u32, head: u32, column: u32) -> vec4<Element> {
  if (matrix == KEYS) {
    return k[k_at(token, head) + column];
  }
  return v[v_at(token, head) + column];
}
