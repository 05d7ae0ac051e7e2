/** Tensors of `adapter_model.safetensors` to and from parameters: names, shapes, LoRA's transposed B. */
import { type AdapterConfig, isAdapterParameter, type ParameterSpec } from '@synglot/nn';
import { parameterName } from '../hf-weights.js';
import type { TensorSource } from '../safetensors/format.js';

/** What PEFT puts in front of names, whatever it wraps. */
const prefix = 'base_model.model.';

/** Our name of a stored tensor, or undefined for one that is not of the encoder. */
export function adapterParameterName(stored: string): string | undefined {
  const bare = stored
    .replace(/^base_model\.model\./, '')
    // A whole SentenceTransformer that was wrapped, and models with a head.
    .replace(/^0\.(auto_model|model)\./, '')
    .replace(/\.(modules_to_save|lora_[AB])\.default\./, (match) => match.replace('.default', ''))
    .replace('.modules_to_save.', '.');
  return parameterName(bare);
}

/** The parameters that an adapter's file holds: the adapter's, and what was trained beside it. */
export function adapterFileSpecs(specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.filter(({ name, trainable = true }) => isAdapterParameter(name) || trainable);
}

/** The tensors of an adapter's file, given all of a model's. */
export function adapterTensors(
  specs: readonly ParameterSpec[],
  adapter: AdapterConfig,
  tensors: readonly TensorSource[],
): TensorSource[] {
  const sources = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return adapterFileSpecs(specs).flatMap((spec) => {
    const source = sources.get(spec.name);
    return source ? [toFile(spec, adapter, source)] : [];
  });
}

/** The shape in the file: LoRA without the rows that pad the rank, and B as [out, rank]. */
export function fileShape({ name, shape }: ParameterSpec, adapter: AdapterConfig): readonly number[] {
  if (adapter.kind !== 'lora' || !isAdapterParameter(name)) return shape;
  const features = shape[1] as number;
  return name.endsWith('.lora_B.weight') ? [features, adapter.rank] : [adapter.rank, features];
}

/** A parameter as the file has it. */
function toFile(spec: ParameterSpec, adapter: AdapterConfig, source: TensorSource): TensorSource {
  const shape = fileShape(spec, adapter);
  const name = prefix + spec.name;
  if (adapter.kind !== 'lora' || !isAdapterParameter(spec.name)) return { ...source, name, shape };
  const [rank, features] = [adapter.rank, spec.shape[1] as number];
  const read = async () => {
    const live = (await source.read()).subarray(0, rank * features);
    return spec.name.endsWith('.lora_B.weight') ? transpose(live, rank, features) : live;
  };
  return { name, shape, read };
}

/** Values of a file's tensor as the parameter has them, all rows of it. */
export function fromFile(spec: ParameterSpec, adapter: AdapterConfig, values: Float32Array): Float32Array {
  if (adapter.kind !== 'lora' || !isAdapterParameter(spec.name)) return values;
  const [rows, features] = spec.shape as [number, number];
  const padded = new Float32Array(rows * features);
  padded.set(spec.name.endsWith('.lora_B.weight') ? transpose(values, features, adapter.rank) : values);
  return padded;
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] as number;
  }
  return result;
}
