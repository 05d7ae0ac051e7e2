// Per query token and head: (log-sum-exp, d_context · context), what both backward kernels need.
//
// The second number is the softmax gradient's common term: the sum over keys of probability times
// its gradient, which equals d_context · context, dropout included.
//
// Shapes    d_context, context [tokens, heads · head size]; log_sum_exp [tokens, heads];
//           statistics [tokens, heads] of vec2.
// Writes    overwrites statistics.
// Dispatch  one invocation per token of one head: ceil(tokens / WORKGROUP_SIZE) × heads.
// Limits    the head size is 4 · head_vectors.
// Precision f32 arithmetic, matrices stored as Element.
// Source    Dao et al. 2022, section B.4.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  tokens: u32,
  tokens_count: u32,
  heads: u32,
  // A parameter, not a constant: drivers would unroll a constant number of iterations and take long to compile.
  head_vectors: u32,
}

@group(0) @binding(0) var<storage, read> d_context: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> context: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= live_count(params.tokens_count, params.tokens)) {
    return;
  }
  let index = id.x * params.heads + id.y;
  var products = vec4<f32>(0.0);
  for (var i = 0u; i < params.head_vectors; i++) {
    let at = index * params.head_vectors + i;
    products += vec4<f32>(d_context[at]) * vec4<f32>(context[at]);
  }
  statistics[index] = vec2<f32>(log_sum_exp[index], dot(products, vec4<f32>(1.0)));
}
