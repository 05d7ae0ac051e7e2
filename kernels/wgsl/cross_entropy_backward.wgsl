// d_logits = loss_scale · row_weights[row] · (softmax - [class = label]); zero in columns that are no class.
//
// Shapes    logits, d_logits [rows, columns]; labels, row_weights, log_sum_exp [rows].
// Writes    overwrites d_logits.
// Dispatch  grid-stride loop over elements; any number of workgroups (x).
// Limits    Rows beyond the live count are not touched.
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
@group(0) @binding(3) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_logits: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let count = live_count(params.rows_count, params.rows) * params.columns;
  for (var i = id.x; i < count; i += workgroups.x * WORKGROUP_SIZE) {
    let row = i / params.columns;
    let class_index = i - row * params.columns;
    var gradient = 0.0;
    if (class_index < params.classes) {
      let probability = exp(logits[i] - log_sum_exp[row]);
      gradient = step.loss_scale * row_weights[row] * (probability - select(0.0, 1.0, class_index == labels[row]));
    }
    d_logits[i] = gradient;
  }
}
