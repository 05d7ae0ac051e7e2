/** The parameters of an adapter, and which of the encoder's are trained beside it. */
import type { EncoderConfig } from '../encoder/config.js';
import type { ParameterSpec } from '../parameters.js';
import { type AdapterConfig, bottleneckPlaces, storedRank } from './config.js';

/**
 * The adapter's own parameters, in order:
 *
 * - LoRA: `<module>.lora_A.weight` [rank, in] and `<module>.lora_B.weight` [rank, out]. B is transposed
 *   (PEFT stores [out, rank]), so that its product can be added to the layer's; rank is `storedRank`
 * - bottlenecks: `<place>.adapter_down.weight` [size, hidden], `<place>.adapter_up.weight` [hidden, size],
 *   and their biases
 */
export function adapterParameters(
  { hiddenSize: hidden }: EncoderConfig,
  adapter: AdapterConfig,
  shapeOf: (name: string) => readonly number[],
): ParameterSpec[] {
  if (adapter.kind === 'lora') {
    const rank = storedRank(adapter.rank);
    return adapter.modules.flatMap((module) => {
      const [out, into] = shapeOf(`${module}.weight`) as [number, number];
      return [
        { name: `${module}.lora_A.weight`, shape: [rank, into] },
        { name: `${module}.lora_B.weight`, shape: [rank, out] },
      ];
    });
  }
  const { size } = adapter;
  return bottleneckPlaces(adapter).flatMap((place) => [
    { name: `${place}.adapter_down.weight`, shape: [size, hidden] },
    { name: `${place}.adapter_down.bias`, shape: [size] },
    { name: `${place}.adapter_up.weight`, shape: [hidden, size] },
    { name: `${place}.adapter_up.bias`, shape: [hidden] },
  ]);
}

/** Whether a parameter belongs to an adapter and not to the model under it. */
export function isAdapterParameter(name: string): boolean {
  return /\.(lora_[AB]|adapter_(down|up))\.(weight|bias)$/.test(name);
}

/** Adds an adapter's parameters to a model's, and freezes what is not trained with it. */
export function withAdapterParameters(
  config: EncoderConfig,
  specs: readonly ParameterSpec[],
  adapter: AdapterConfig,
): ParameterSpec[] {
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const shapeOf = (name: string) => {
    const shape = shapes.get(name);
    if (!shape) throw new RangeError(`The model has no parameter '${name}' for an adapter`);
    return shape;
  };
  return [
    ...specs.map((spec) => ({ ...spec, trainable: trainsBeside(spec.name, adapter) })),
    ...adapterParameters(config, adapter, shapeOf),
  ];
}

function trainsBeside(name: string, { trainsEmbeddings, trainsLayerNorms }: AdapterConfig): boolean {
  if (name.includes('LayerNorm')) return trainsLayerNorms;
  return trainsEmbeddings && name.startsWith('embeddings.');
}
