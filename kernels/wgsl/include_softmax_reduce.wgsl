// Included by `//@ include softmax_reduce`: softmax denominators over the similarities of all lanes of a workgroup.
//
// (largest similarity, Σ exp((similarity - largest) / temperature)) of each lane's similarities, combined as
// workgroup_reduce does; of none it is (-1e30, 0). Differences are taken before the temperature divides: at a low one
// logits are large, and so is their rounding, next to 1 - the probability of an easy query's positive.
//
// A file that includes this binds `params` with an `inverse_temperature`.
// Source    online softmax: Milakov & Gimelshein 2018.
//@ include workgroup_reduce

alias Total = vec2<f32>;

const NOTHING_SEEN = vec2<f32>(-1.0e30, 0.0);

fn combine(a: Total, b: Total) -> Total {
  let larger = max(a.x, b.x);
  let weights = exp((vec2<f32>(a.x, b.x) - larger) * params.inverse_temperature);
  return vec2<f32>(larger, dot(vec2<f32>(a.y, b.y), weights));
}

fn with_similarity(seen: Total, one: f32) -> Total {
  return combine(seen, vec2<f32>(one, 1.0));
}
