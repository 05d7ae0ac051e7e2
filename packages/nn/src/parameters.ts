/** Which parameters an encoder has, how they are cut to fit the device's bindings, and where they lie. */
import { bytesPerElement, viewAlignmentBytes } from '@synglot/gpu';
import { withAdapterParameters } from './adapters/parameters.js';
import type { EncoderConfig, ParameterName, PoolingConfig } from './encoder/config.js';
import { packSlabs, type Slab, type SlabPlace } from './slabs.js';

/** Name and shape of a parameter, and how it is trained. */
export interface ParameterSpec {
  readonly name: ParameterName;
  readonly shape: readonly number[];
  /** Default true. A frozen parameter has neither gradient nor optimiser state. */
  readonly trainable?: boolean;
  /** Parameters of one block and rank lie side by side if they can, so that one product serves them all. */
  readonly block?: string;
  /** Belongs to a training objective: saved with a run, never with its model. */
  readonly auxiliary?: boolean;
  /** Multiplies the learning rate unless a group sets one. Default 1. */
  readonly learningRateScale?: number;
  /** Whether weight decay applies, unless a group sets one. Default true. */
  readonly decays?: boolean;
  /** Kept within [least, most] after every update. */
  readonly range?: readonly [number, number];
}

/**
 * All parameters of an encoder with its pooling head, in the order and with the names of a checkpoint; then those
 * of its adapter, which freezes most of the others.
 */
export function encoderParameters(config: EncoderConfig, pooling: PoolingConfig): ParameterSpec[] {
  const specs = ownParameters(config, pooling);
  return config.adapter ? withAdapterParameters(config, specs, config.adapter) : specs;
}

function ownParameters(config: EncoderConfig, pooling: PoolingConfig): ParameterSpec[] {
  const { hiddenSize: hidden, intermediateSize: intermediate } = config;
  const specs: ParameterSpec[] = [
    { name: 'embeddings.word_embeddings.weight', shape: [config.vocabularySize, hidden] },
    { name: 'embeddings.position_embeddings.weight', shape: [config.maxPositions, hidden] },
    { name: 'embeddings.token_type_embeddings.weight', shape: [config.typeVocabularySize, hidden] },
    ...layerNorm('embeddings.LayerNorm', hidden),
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    const block = `${prefix}.attention.self`;
    const projections = ['query', 'key', 'value'].flatMap((name) =>
      linear(`${block}.${name}`, hidden, hidden),
    );
    specs.push(
      ...projections.map((spec) => ({ ...spec, block })),
      ...linear(`${prefix}.attention.output.dense`, hidden, hidden),
      ...layerNorm(`${prefix}.attention.output.LayerNorm`, hidden),
      ...linear(`${prefix}.intermediate.dense`, intermediate, hidden),
      ...linear(`${prefix}.output.dense`, hidden, intermediate),
      ...layerNorm(`${prefix}.output.LayerNorm`, hidden),
    );
  }
  if (pooling.dense) {
    const { inFeatures, outFeatures, bias } = pooling.dense;
    specs.push({ name: 'dense.weight', shape: [outFeatures, inFeatures] });
    if (bias) specs.push({ name: 'dense.bias', shape: [outFeatures] });
  }
  return specs;
}

function linear(name: string, out: number, into: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [out, into] },
    { name: `${name}.bias`, shape: [out] },
  ];
}

function layerNorm(name: string, size: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [size] },
    { name: `${name}.bias`, shape: [size] },
  ];
}

/** Rows [rowBegin, rowEnd) of a parameter, and where in its slab they lie. */
export interface ParameterPart extends SlabPlace {
  /** `name` for a whole parameter, `name[2]` for the third part of a split one. */
  readonly key: string;
  readonly name: ParameterName;
  readonly rowBegin: number;
  readonly rowEnd: number;
  readonly shape: readonly number[];
  readonly elements: number;
}

/** Kind of buffers with the copies of weights that mixed precision keeps as f16, for products with f16 matrices. */
export const halfKind = 'half parameter';

/** Views of f32 begin at multiples of this many elements; views of f16, at multiples of twice as many. */
const viewElements = viewAlignmentBytes / bytesPerElement.f32;

/** The element type of a kind of buffers. */
export function elementTypeOf(kind: string): 'f16' | 'f32' {
  return kind === halfKind ? 'f16' : 'f32';
}

/** Whether a parameter takes part in products: a matrix that is not a table. */
function meetsProducts({ name, shape }: ParameterSpec): boolean {
  return shape.length === 2 && !name.startsWith('embeddings.');
}

/** Cuts parameters into parts that a device can bind, and places these in slabs. */
export class ParameterLayout {
  readonly #parts = new Map<ParameterName, ParameterPart[]>();
  readonly #trainable: ReadonlySet<ParameterName>;
  readonly #slabs: readonly Slab[];
  readonly specs: readonly ParameterSpec[];

  /**
   * @param bindingLimitBytes the device's `maxStorageBufferBindingSize`; a two-dimensional parameter
   * larger than that is split by rows behind its name, and no slab is larger.
   * @throws RangeError for two parameters of one name, and for what cannot be split
   */
  constructor(specs: readonly ParameterSpec[], bindingLimitBytes: number) {
    this.specs = specs;
    const trained = specs.filter(({ trainable = true }) => trainable);
    this.#trainable = new Set(trained.map(({ name }) => name));
    const limitBytes = bindingLimitBytes - (bindingLimitBytes % 16);
    const cut = specs.map((spec) => ({ spec, parts: split(spec.name, spec.shape, limitBytes) }));
    const { slabs, places } = packSlabs(
      cut.flatMap(({ spec, parts }) =>
        parts.map(({ key, elements }) => ({ key, elements, block: spec.block, ...this.#company(spec) })),
      ),
      limitBytes / 4,
    );
    this.#slabs = slabs;
    for (const { spec, parts } of cut) {
      if (this.#parts.has(spec.name)) throw new RangeError(`Two parameters are called '${spec.name}'`);
      const placed = parts.map((part) => ({ ...part, ...(places.get(part.key) as SlabPlace) }));
      this.#parts.set(spec.name, placed);
    }
  }

  /** What a parameter may share a slab with: others that exist in the same kinds, so that no kind wastes half a slab. */
  #company(spec: ParameterSpec): { readonly group: string; readonly alignment: number } {
    const state = this.trains(spec.name) ? 'trained' : 'frozen';
    if (meetsProducts(spec)) return { group: `${state} matrices`, alignment: 2 * viewElements };
    return { group: `${state} ${spec.shape.length > 1 ? 'tables' : 'vectors'}`, alignment: viewElements };
  }

  /** The parts of a parameter by rows, in order: one, unless it is larger than a slab may be. */
  parts(name: ParameterName): readonly ParameterPart[] {
    const parts = this.#parts.get(name);
    if (!parts) throw new RangeError(`The model has no parameter '${name}'`);
    return parts;
  }

  /** The shape of a parameter. Throws a RangeError for a name that is not here. */
  shape(name: ParameterName): readonly number[] {
    const spec = this.specs.find((entry) => entry.name === name);
    if (!spec) throw new RangeError(`The model has no parameter '${name}'`);
    return spec.shape;
  }

  /** Whether parameters of equal row size lie side by side, so that they can be bound as one matrix. */
  adjacent(names: readonly ParameterName[]): boolean {
    const parts = names.flatMap((name) => this.parts(name));
    const rowSize = (part: ParameterPart) => part.elements / (part.rowEnd - part.rowBegin);
    return (
      parts.length === names.length &&
      parts.every((part, index) => {
        const before = parts[index - 1];
        if (!before) return true;
        const follows = part.offsetElements === before.offsetElements + before.elements;
        return part.slab === before.slab && follows && rowSize(part) === rowSize(before);
      })
    );
  }

  /** Every part of every parameter, in order. */
  all(): ParameterPart[] {
    return [...this.#parts.values()].flat();
  }

  /** Whether a parameter is trained. */
  trains(name: ParameterName): boolean {
    return this.#trainable.has(name);
  }

  /**
   * The parameters that exist in buffers of `kind`: all as `parameter`, the weights of products also as `halfKind`,
   * the trained ones also as every other kind (gradient, moments).
   */
  specsOf(kind: string): readonly ParameterSpec[] {
    if (kind === 'parameter') return this.specs;
    if (kind === halfKind) return this.specs.filter(meetsProducts);
    return this.specs.filter(({ name }) => this.trains(name));
  }

  /** Every part of what `specsOf(kind)` names, in order. */
  partsOf(kind: string): ParameterPart[] {
    return this.specsOf(kind).flatMap(({ name }) => this.parts(name));
  }

  /** The slabs that exist in buffers of `kind`, each with its parts in ascending order of their places. */
  slabsOf(kind: string): readonly (Slab & { readonly parts: readonly ParameterPart[] })[] {
    const parts = new Map(this.partsOf(kind).map((part) => [part.key, part]));
    return this.#slabs
      .filter(({ keys }) => keys.some((key) => parts.has(key)))
      .map((slab) => ({ ...slab, parts: slab.keys.map((key) => parts.get(key) as ParameterPart) }));
  }
}

/** Name of the buffer that holds a slab of a kind. */
export function slabName(kind: string, slab: number): string {
  return `${kind} slab ${slab}`;
}

function split(
  name: ParameterName,
  shape: readonly number[],
  limitBytes: number,
): Omit<ParameterPart, keyof SlabPlace>[] {
  const rows = shape[0] as number;
  const rowElements = shape.slice(1).reduce((product, size) => product * size, 1);
  const rowsPerPart = Math.floor(limitBytes / (rowElements * 4));
  if (rowsPerPart >= rows) {
    return [{ key: name, name, rowBegin: 0, rowEnd: rows, shape, elements: rows * rowElements }];
  }
  if (shape.length < 2 || rowsPerPart < 1) {
    throw new RangeError(
      `Parameter '${name}' [${shape}] cannot be split into bindings of ${limitBytes} bytes`,
    );
  }
  const parts: Omit<ParameterPart, keyof SlabPlace>[] = [];
  for (let rowBegin = 0; rowBegin < rows; rowBegin += rowsPerPart) {
    const rowEnd = Math.min(rows, rowBegin + rowsPerPart);
    const count = rowEnd - rowBegin;
    const key = `${name}[${parts.length}]`;
    parts.push({
      key,
      name,
      rowBegin,
      rowEnd,
      shape: [count, ...shape.slice(1)],
      elements: count * rowElements,
    });
  }
  return parts;
}
