/**
 * Where a key belongs that stands in the wrong section or has another tool's name (sentence-transformers' and
 * transformers' training arguments). Misspellings are a matter for `didYouMean`.
 */

/** Names that other tools use, and the keys that correspond to them here. */
const others: Readonly<Record<string, string>> = {
  epochs: 'training.steps (pairs × epochs / sampling.batch_size)',
  num_epochs: 'training.steps (pairs × epochs / sampling.batch_size)',
  num_train_epochs: 'training.steps (pairs × epochs / sampling.batch_size)',
  max_steps: 'training.steps',
  per_device_train_batch_size: 'sampling.batch_size',
  train_batch_size: 'sampling.batch_size',
  gradient_accumulation_steps: 'training.accumulation',
  mini_batch_size: 'training.cache_tokens (in tokens)',
  gradient_checkpointing: 'training.recompute',
  fp16: 'training.precision: mixed',
  bf16: 'training.precision: mixed',
  use_amp: 'training.precision: mixed',
  lr: 'optimizer.learning_rate',
  lr_scheduler_type: 'training.schedule',
  scheduler: 'training.schedule',
  warmup_ratio: 'training.warmup (below 1 a share of the steps)',
  warmup_steps: 'training.warmup (from 1 on a number of steps)',
  max_grad_norm: 'optimizer.max_gradient_norm',
  optim: 'optimizer.name',
  adam_beta1: 'optimizer.betas',
  adam_beta2: 'optimizer.betas',
  adam_epsilon: 'optimizer.epsilon',
  scale: 'loss.temperature (1 / scale)',
  max_seq_length: 'text.query_max_length and text.passage_max_length',
  max_length: 'text.query_max_length and text.passage_max_length',
  prompts: 'text.query_prefix and text.passage_prefix',
  eval_steps: 'validation.every',
  evaluation_steps: 'validation.every',
  early_stopping_patience: 'validation.patience',
  early_stopping_threshold: 'validation.min_delta',
  save_steps: 'checkpoint.every',
  save_total_limit: 'checkpoint.keep',
  load_best_model_at_end: 'checkpoint.keep_best',
  metric_for_best_model: 'validation.measure',
  resume_from_checkpoint: 'the option --resume',
  output_dir: 'output',
  model_name: 'model',
  model_name_or_path: 'model',
  train_dataset: 'data',
  matryoshka_dims: 'matryoshka.dimensions',
};

/**
 * `; that is training.steps here`, or nothing for a key that no section and no other tool has.
 *
 * @param sections the keys of every section, those of the top level under an empty name
 * @param where the section that the key stands in
 */
export function rightPlace(
  key: string,
  where: string,
  sections: ReadonlyMap<string, readonly string[]>,
): string {
  // What has a `name` says nothing about what another section's could be.
  const elsewhere = [...(key === 'name' ? [] : sections)]
    .filter(([section, keys]) => section !== where && keys.includes(key))
    .map(([section]) => (section === '' ? key : `${section}.${key}`));
  // Another tool's name first: its `scale` of a loss is not that of another section here.
  const meant = [...(Object.hasOwn(others, key) ? [others[key]] : []), ...elsewhere].slice(0, 3);
  return meant.length === 0 ? '' : `; that is ${meant.join(' or ')} here`;
}
