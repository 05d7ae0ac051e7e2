// Included by `//@ include softmax_reduce`: log-sum-exp over the logits of all lanes of a workgroup.
//
// (largest logit, Σ exp(logit - largest)) of each lane's logits, combined as workgroup_reduce does; of no logits
// it is (-3e38, 0).
// Source    online softmax: Milakov & Gimelshein 2018.
//@ include workgroup_reduce

alias Total = vec2<f32>;

const NO_LOGITS = vec2<f32>(-3.0e38, 0.0);

fn combine(a: Total, b: Total) -> Total {
  let larger = max(a.x, b.x);
  return vec2<f32>(larger, a.y * exp(a.x - larger) + b.y * exp(b.x - larger));
}

fn with_logit(seen: Total, logit: f32) -> Total {
  return combine(seen, vec2<f32>(logit, 1.0));
}
