/** What an adapter is, and on which modules of an encoder it sits. Emits nothing. */
import type { EncoderConfig } from '../encoder/config.js';
import { literal } from '../optim/parameter-patterns.js';

/** What is trained beside the adapter. Everything else, the pooling head included, is frozen. */
export interface TrainedBeside {
  /** Word, position and type tables. */
  readonly trainsEmbeddings: boolean;
  readonly trainsLayerNorms: boolean;
}

/** Low-rank updates of linear layers: y += scale · B A dropout(x). Hu et al. 2021, arXiv 2106.09685. */
export interface LoraConfig extends TrainedBeside {
  readonly kind: 'lora';
  /** Full names of linear layers, as `linearModules` lists them. */
  readonly modules: readonly string[];
  readonly rank: number;
  readonly alpha: number;
  /** Dropout on the update's input, 0 … 1. */
  readonly dropout: number;
  /** scale = alpha / √rank (Kalajdzievski 2023, arXiv 2312.03732) instead of alpha / rank. */
  readonly rankStabilized: boolean;
}

/** What is between the two products of a bottleneck. */
export type BottleneckActivation = 'gelu' | 'relu' | 'swish';

/**
 * Bottleneck layers as AdapterHub defines them (`DoubleSeqBnConfig`, `SeqBnConfig` of
 * github.com/adapter-hub/adapters, `methods/modeling.py`); bottleneck.ts says where they sit.
 *
 * - `houlsby`: after attention and after the feed-forward block. Houlsby et al. 2019, arXiv 1902.00751.
 * - `pfeiffer`: after the feed-forward block only. Pfeiffer et al. 2020, arXiv 2005.00247.
 */
export interface BottleneckConfig extends TrainedBeside {
  readonly kind: 'houlsby' | 'pfeiffer';
  /** Width of the bottleneck, a multiple of 4. */
  readonly size: number;
  readonly activation: BottleneckActivation;
  /** Layers that have adapters. */
  readonly layers: readonly number[];
}

/** Small trained parts beside a frozen encoder. */
export type AdapterConfig = LoraConfig | BottleneckConfig;

const linearSuffixes = [
  'attention.self.query',
  'attention.self.key',
  'attention.self.value',
  'attention.output.dense',
  'intermediate.dense',
  'output.dense',
];

/** Full names of an encoder's linear layers, which LoRA may adapt. */
export function linearModules({ layers }: Pick<EncoderConfig, 'layers'>): string[] {
  return Array.from({ length: layers }, (_, layer) =>
    linearSuffixes.map((suffix) => `encoder.layer.${layer}.${suffix}`),
  ).flat();
}

/**
 * The linear layers that patterns name. A pattern is a name or the end of one, as in PEFT's
 * `target_modules`; `*` in it stands for anything, and `all-linear` means all of them.
 */
export function matchModules(
  config: Pick<EncoderConfig, 'layers'>,
  patterns: readonly string[],
): { readonly modules: readonly string[]; readonly unmatched: readonly string[] } {
  const all = linearModules(config);
  const matches = (name: string, pattern: string) => {
    if (pattern === 'all-linear') return true;
    const parts = pattern.split('*').map(literal);
    return new RegExp(`^(.*\\.)?${parts.join('.*')}$`).test(name);
  };
  return {
    modules: all.filter((name) => patterns.some((pattern) => matches(name, pattern))),
    unmatched: patterns.filter((pattern) => !all.some((name) => matches(name, pattern))),
  };
}

/** What a low-rank update is multiplied by. */
export function loraScale({ alpha, rank, rankStabilized }: LoraConfig): number {
  return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
}

/** Whether LoRA adapts a linear layer: its product then cannot be computed together with others. */
export function hasLora(adapter: AdapterConfig | undefined, module: string): adapter is LoraConfig {
  return adapter?.kind === 'lora' && adapter.modules.includes(module);
}

/** The rank in memory: padded with rows of zeros to a multiple of 4, which products need. */
export function storedRank(rank: number): number {
  return Math.ceil(rank / 4) * 4;
}

/** Names of the sub-layers after which bottlenecks sit: `encoder.layer.0.output`, … */
export function bottleneckPlaces({ kind, layers }: BottleneckConfig): string[] {
  return layers.flatMap((layer) => {
    const name = `encoder.layer.${layer}`;
    return kind === 'houlsby' ? [`${name}.attention.output`, `${name}.output`] : [`${name}.output`];
  });
}
