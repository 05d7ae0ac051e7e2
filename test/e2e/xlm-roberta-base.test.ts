/**
 * XLM-R base at its real size: one training step on lavapipe, whose bindings of 128 MiB split the table of
 * 250,002 × 768, against PyTorch. In a file of its own, so that the process's peak memory is this test's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatchSampler, type Encode, type Pair, type Row, TrainingSet } from '@synglot/data';
import { openExecutor } from '@synglot/gpu/node';
import { loadTokenizer } from '@synglot/models';
import {
  defaultAdamW,
  type EncoderConfig,
  encoderParameters,
  ParameterStore,
  type PoolingConfig,
} from '@synglot/nn';
import { contrastiveObjective, Trainer } from '@synglot/train';
import { expect, it } from 'vitest';
import { counterWeights } from './counter-weights.js';
import { deviceCases, sharedPath } from './support.js';

interface FixtureText {
  readonly lang: string;
  readonly text: string;
  readonly ids: readonly number[];
}

interface Fixture {
  readonly temperature: number;
  readonly learning_rate: number;
  readonly weight_decay: number;
  readonly max_gradient_norm: number;
  readonly pairs: readonly { readonly query: FixtureText; readonly passage: FixtureText }[];
  readonly weights: { readonly parameter: string; readonly first: number[]; readonly last: number[] };
  readonly expected: {
    readonly loss: number;
    readonly gradient_norm: number;
    readonly gradient_norms: Readonly<Record<string, number>>;
    readonly loss_after_step: number;
  };
}

const config: EncoderConfig = {
  family: 'xlm-roberta',
  vocabularySize: 250_002,
  hiddenSize: 768,
  layers: 12,
  heads: 12,
  intermediateSize: 3072,
  maxPositions: 514,
  typeVocabularySize: 1,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 2,
  initializerRange: 0.02,
};
const pooling: PoolingConfig = { mode: 'mean', normalize: true };
const table = 'embeddings.word_embeddings.weight';
const bindingLimit = 128 * 2 ** 20;
const memoryLimit = 14e9;

const tokenizerFolder = sharedPath('data/tokenizers/xlm-roberta');
const lavapipe = (await deviceCases()).filter(({ device }) => device === 'lavapipe');
const usable = lavapipe.find(({ missing }) => missing === undefined);
if (!usable)
  console.warn(`XLM-R base: skipped, needs lavapipe: ${lavapipe.map(({ missing }) => missing).join('; ')}`);

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/xlmr-base-loss.json'), 'utf8'),
) as Fixture;

it.skipIf(!usable || !tokenizerFolder)(
  'XLM-R base trains a step as PyTorch does, in less than 14 GB',
  async () => {
    const { expected } = fixture;
    const tokenizer = await loadTokenizer(tokenizerFolder as string);
    const encode: Encode = async (texts) =>
      (await tokenizer.encodeBatch(texts, { maxLength: 64 })).map(({ ids }) => ids);
    const texts = fixture.pairs.flatMap(({ query, passage }) => [query, passage]);
    const ids = await encode(
      texts.map(({ text }) => text),
      'query',
    );
    expect(ids.map((list) => Array.from(list))).toEqual(texts.map((text) => text.ids));

    const started = performance.now();
    const executor = await openExecutor({ device: 'lavapipe', executor: usable?.executor ?? 'webgpu' });
    expect(executor.device.limits.maxStorageBufferBindingSize).toBeLessThanOrEqual(bindingLimit);
    const specs = encoderParameters(config, pooling);
    const store = new ParameterStore(executor, specs);
    expect(store.layout.parts(table).length).toBeGreaterThanOrEqual(6);
    const weights = counterWeights(specs);
    const { parameter, first, last } = fixture.weights;
    expect(Array.from((await weights(parameter, 0, 1)).slice(0, 4))).toEqual(first);
    expect(Array.from((await weights(parameter, 250_001, 250_002)).slice(-4))).toEqual(last);
    await store.load('parameter', weights);
    const loaded = performance.now();

    const set = TrainingSet.from(fixturePairs());
    const sampler = new BatchSampler(set, { mode: 'multilingual', batchSize: fixture.pairs.length, seed: 1 });
    const trainer = new Trainer({
      executor,
      store,
      config,
      pooling,
      sampler,
      encode,
      objectives: [contrastiveObjective({ temperature: fixture.temperature, direction: 'query-to-passage' })],
      optimizer: {
        method: { ...defaultAdamW, weightDecay: fixture.weight_decay },
        maxGradientNorm: fixture.max_gradient_norm,
        decay: 'all',
      },
      schedule: { learningRate: fixture.learning_rate, steps: 1, warmupSteps: 0, decay: 'constant' },
      seed: 0,
    });
    const step = await trainer.update();
    const trained = performance.now();
    const norms: Record<string, number> = {};
    for (const name of Object.keys(expected.gradient_norms))
      norms[name] = await norm(store.readPieces('gradient', name));
    const { loss: after } = await trainer.evaluate([{ ...sampler.next() }]);
    await trainer.destroy();
    store.destroy();
    executor.destroy();

    const peakBytes = peakMemory();
    const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
    console.log(
      [
        `XLM-R base, ${executor.kind} executor on ${executor.device.name}: ${step.pairs} pairs, ${step.tokens} tokens`,
        `weights made and loaded in ${seconds(started, loaded)}, step in ${seconds(loaded, trained)}, peak memory ${(peakBytes / 1e9).toFixed(2)} GB`,
        `loss ${step.loss} (PyTorch ${expected.loss}), gradient norm ${step.gradient_norm} (${expected.gradient_norm})`,
        `loss after the step ${after} (${expected.loss_after_step})`,
        ...Object.entries(norms).map(
          ([name, value]) => `|d ${name}| ${value} (${expected.gradient_norms[name]})`,
        ),
      ].join('\n'),
    );
    expect(Math.abs(step.loss - expected.loss)).toBeLessThanOrEqual(1e-4);
    expect(Math.abs(step.gradient_norm / expected.gradient_norm - 1)).toBeLessThanOrEqual(1e-3);
    for (const [name, value] of Object.entries(norms)) {
      expect(Math.abs(value / (expected.gradient_norms[name] as number) - 1), name).toBeLessThanOrEqual(1e-3);
    }
    expect(Math.abs(after - expected.loss_after_step)).toBeLessThanOrEqual(1e-3);
    expect(peakBytes).toBeLessThan(memoryLimit);
  },
  900_000,
);

function fixturePairs(): Pair[] {
  const row = ({ lang, text }: FixtureText, parallelId: string): Row => ({
    id: parallelId,
    text,
    lang,
    parallelId,
    dataset: 'xlmr-base-loss',
    domain: 'general',
  });
  return fixture.pairs.map(({ query, passage }, index) => ({
    query: row(query, `${index}`),
    passage: row(passage, `${index}`),
    negatives: [],
  }));
}

async function norm(pieces: AsyncIterable<Float32Array>): Promise<number> {
  let sum = 0;
  for await (const piece of pieces) for (let i = 0; i < piece.length; i++) sum += (piece[i] as number) ** 2;
  return Math.sqrt(sum);
}

/** The process's largest resident set so far, lavapipe's memory included, in bytes. */
function peakMemory(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib) * 1024;
}
