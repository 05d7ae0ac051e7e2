/** A LoRA adapter added into the weights that it adapts: W + scale · B A. */
import { encoderParameters, loraScale } from '@synglot/nn';
import { checkpointError } from '../errors.js';
import type { Checkpoint } from '../model-folder.js';

/**
 * The same model without an adapter: equal within rounding. Weights are merged as they are read.
 *
 * @throws ModelError `INPUT_CHECKPOINT` where there is no adapter, or one that cannot be merged
 */
export function mergeAdapter(checkpoint: Checkpoint): Checkpoint {
  const { adapter, ...config } = checkpoint.config;
  if (!adapter) {
    throw checkpointError(`${checkpoint.source}: has no adapter to merge; give one with --adapter`);
  }
  if (adapter.kind !== 'lora') {
    throw checkpointError(
      `${checkpoint.source}: a ${adapter.kind} adapter cannot be merged: it is layers of its own, not a change of weights; use it as it is`,
    );
  }
  const factor = loraScale(adapter);
  const adapted = new Set(adapter.modules.map((module) => `${module}.weight`));
  const rows = async (name: string, begin: number, end: number): Promise<Float32Array> => {
    const weight = await checkpoint.readRows(name, begin, end);
    if (!adapted.has(name)) return weight;
    const module = name.replace(/\.weight$/, '');
    const [a, b] = await Promise.all([
      checkpoint.readTensor(`${module}.lora_A.weight`),
      checkpoint.readTensor(`${module}.lora_B.weight`),
    ]);
    const into = weight.length / (end - begin);
    const rank = a.length / into;
    const out = b.length / rank;
    const merged = new Float32Array(weight.length);
    for (let row = begin; row < end; row++) {
      for (let column = 0; column < into; column++) {
        let update = 0;
        for (let i = 0; i < rank; i++)
          update += (b[i * out + row] as number) * (a[i * into + column] as number);
        const index = (row - begin) * into + column;
        merged[index] = (weight[index] as number) + factor * update;
      }
    }
    return merged;
  };
  const parameters = encoderParameters(config, checkpoint.pooling);
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  return {
    ...checkpoint,
    config,
    parameters,
    readRows: rows,
    readTensor: (name) => rows(name, 0, shapes.get(name)?.[0] ?? 0),
  };
}
