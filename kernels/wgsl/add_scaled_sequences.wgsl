// y[token] = x[token] + factor · scales[slot of the token] · direction[token].
//
// Shapes    x, direction, y [tokens, columns]; tokens_info [tokens] of (id, position, type, slot);
//           scales [all slots].
// Writes    overwrites y.
// Dispatch  grid-stride loop over vectors of four elements; any number of workgroups (x).
// Limits    columns is a multiple of 4. Tokens beyond the live count are not touched.
// Precision f32 arithmetic, x stored as Element.
// Source    adversarial perturbation of word embeddings, Miyato et al. 2017 (arXiv 1605.07725), equation 8.
//@ const WORKGROUP_SIZE: u32 = 64
//@ type Element: f32 | f16
//@ include step

struct Params {
  tokens: u32,
  tokens_count: u32,
  columns: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> direction: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read> tokens_info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> scales: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<Element>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let width = params.columns / 4u;
  let count = live_count(params.tokens_count, params.tokens) * width;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let scale = params.factor * scales[tokens_info[i / width].w];
    y[i] = vec4<Element>(vec4<f32>(x[i]) + scale * vec4<f32>(direction[i]));
  }
}
