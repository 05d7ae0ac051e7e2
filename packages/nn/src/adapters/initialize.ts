/** Fresh adapters: with one, a model computes what it computed without, or nearly so. */

/**
 * Fills one row of an adapter's parameter.
 *
 * LoRA as in PEFT: A uniform in ±1/√in (Kaiming with a = √5), B zero, so that the update is 0.
 * Bottlenecks as in AdapterHub (`init_weights: bert`): normal with standard deviation 0.02, biases zero.
 *
 * @param row a row of the rank proper; those that pad it stay 0
 */
export function fillAdapterRow(
  name: string,
  row: Float32Array,
  random: { readonly uniform: () => number; readonly normal: () => number },
): void {
  if (name.endsWith('.bias') || name.endsWith('.lora_B.weight')) return;
  const draw = name.endsWith('.lora_A.weight')
    ? () => (2 * random.uniform() - 1) / Math.sqrt(row.length)
    : () => 0.02 * random.normal();
  for (let column = 0; column < row.length; column++) row[column] = draw();
}
