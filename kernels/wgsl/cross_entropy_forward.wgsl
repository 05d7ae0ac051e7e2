// Softmax cross-entropy of rows of logits: loss[row] = row_weights[row] · (log Σ exp(logits) - logit of the label).
//
// Shapes    logits [rows, columns], of which the first `classes` columns count; labels, row_weights,
//           log_sum_exp, loss, correct [rows].
// Writes    overwrites log_sum_exp, loss, and correct: row_weights[row] where no class has a larger logit
//           than the label, else 0.
// Dispatch  one invocation per row; ceil(rows / WORKGROUP_SIZE) workgroups.
// Limits    labels are below classes. Rows beyond the live count are not touched.
// Precision f32.
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  rows: u32,
  rows_count: u32,
  columns: u32,
  classes: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> row_weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> correct: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= live_count(params.rows_count, params.rows)) {
    return;
  }
  let base = row * params.columns;
  var largest = logits[base];
  for (var i = 1u; i < params.classes; i++) {
    largest = max(largest, logits[base + i]);
  }
  var sum = 0.0;
  for (var i = 0u; i < params.classes; i++) {
    sum += exp(logits[base + i] - largest);
  }
  let own = logits[base + labels[row]];
  let total = largest + log(sum);
  log_sum_exp[row] = total;
  loss[row] = row_weights[row] * (total - own);
  correct[row] = select(0.0, row_weights[row], own >= largest);
}
