// A small encoder, trained from scratch in the page, or any that a server has: tokenizer, updates, embeddings, search,
// measures. No DOM here.
import { BatchSampler, holdOut, ParallelCollection, pairsFromParallel, TrainingSet } from '@synglot/data';
import { DeviceScorer, evaluateRetrieval, memoryVectors, searchTopK } from '@synglot/eval';
import { checkpointFiles, EmbeddingModel, openCheckpoint, trainTokenizer } from '@synglot/models';
import { defaultAdamW, encoderParameters, freshParameters, ParameterStore } from '@synglot/nn';
import { contrastiveObjective, Trainer } from '@synglot/train';
import { Zip, ZipPassThrough } from 'fflate';
import { facts, langs } from './animals.js';

const pooling = { mode: 'mean', normalize: true };
const maxLength = 24;

/** Facts that the encoder is never shown in any language. */
const isHeldOut = ({ key }) => holdOut(key, 0.15, 1);
export const heldOut = facts.filter(isHeldOut);

/**
 * Makes an encoder with random weights on `executor`.
 *
 * @param options `mode` of the batches (`hybrid`, `monolingual`, `cross-lingual`), `steps`, `seed`
 */
export async function makeRetriever(executor, { mode, steps, seed = 1 }) {
  const shown = facts.filter((fact) => !isHeldOut(fact));
  const set = TrainingSet.from(
    pairsFromParallel(shown.map((fact) => ({ ...fact, dataset: 'animals', domain: 'animals' }))),
  );
  // Words of held-out facts occur in other facts too.
  const texts = shown.flatMap(({ query, passage }) => [query, passage]);
  const tokenizer = await trainTokenizer(texts, { vocabularySize: 800, lowercase: true });
  const config = {
    family: 'bert',
    vocabularySize: tokenizer.vocabularySize,
    typeVocabularySize: 1,
    positionOffset: 0,
    hiddenSize: 64,
    layers: 2,
    heads: 4,
    intermediateSize: 128,
    maxPositions: 32,
    layerNormEpsilon: 1e-12,
    hiddenDropout: 0.1,
    attentionDropout: 0.1,
    initializerRange: 0.05,
  };
  const specs = encoderParameters(config, pooling);
  const store = new ParameterStore(executor, specs);
  await store.load('parameter', freshParameters(config, specs, seed));
  const trainer = new Trainer({
    executor,
    store,
    config,
    pooling,
    seed,
    sampler: new BatchSampler(set, {
      mode,
      batchSize: 32,
      seed,
      ...(mode === 'hybrid' ? { alpha: 0.5 } : {}),
    }),
    encode: async (texts) => (await tokenizer.encodeBatch(texts, { maxLength })).map(({ ids }) => ids),
    objectives: [contrastiveObjective({ temperature: 0.1, direction: 'both' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
    schedule: { learningRate: 4e-3, steps, warmupSteps: Math.ceil(steps / 10), decay: 'linear' },
  });
  const model = new EmbeddingModel(executor, store, { config, pooling, maxLength, tokenizer });
  return new Retriever(executor, model, trainer, steps);
}

/** Opens a trained model that a server has at `address`, such as `model` beside the page. It is not trained further. */
export async function openRetriever(executor, address) {
  return new Retriever(executor, await EmbeddingModel.load(executor, await openCheckpoint(address)));
}

class Retriever {
  #passages;

  constructor(executor, model, trainer, steps = 0) {
    Object.assign(this, { executor, model, trainer, steps });
  }

  /** Updates done here. */
  get step() {
    return this.trainer?.step ?? 0;
  }

  get done() {
    return this.step >= this.steps;
  }

  /** One update; resolves with what is known of it. */
  update() {
    this.#passages = undefined;
    return this.trainer.update();
  }

  /** The `count` best passages of all languages for a question, best first: facts with a `score`. */
  async search(question, count) {
    this.#passages ??= this.model.embed(facts.map(({ passage }) => passage));
    // An update in between asks for new ones.
    const passages = this.#passages;
    const ids = facts.map(({ key, lang }) => `${key}-${lang}`);
    const [{ rows, scores }] = await searchTopK({
      executor: this.executor,
      queries: await this.model.embed([question]),
      source: memoryVectors(await passages, this.model.dimension, ids),
      k: count,
    });
    return Array.from(rows, (row, rank) => ({ ...facts[row], score: scores[rank] }));
  }

  /** Measures on held-out facts: their questions against all passages of all facts. */
  async measure() {
    const candidates = facts.map(({ key, lang, passage }) => ({ id: `${key}-${lang}`, lang, text: passage }));
    const queries = heldOut.map(({ key, lang, query }) => ({ id: `${key}-${lang}?`, lang, text: query }));
    const relevant = heldOut.map(({ key }) =>
      facts.flatMap((fact, index) => (fact.key === key ? [index] : [])),
    );
    const collection = new ParallelCollection({ name: 'held-out', langs, queries, candidates, relevant });
    const embed = (rows) => this.model.embed(rows.map(({ text }) => text));
    const scorer = new DeviceScorer(this.executor);
    try {
      const { summary } = await evaluateRetrieval({
        collection,
        dimension: this.model.dimension,
        scorer,
        queryEmbeddings: await embed(queries),
        candidateEmbeddings: await embed(candidates),
      });
      return { ...summary.map, rankDistance: summary.rank_distance };
    } finally {
      scorer.destroy();
    }
  }

  /** A zip of the folder that sentence-transformers, `synglot` and this page load. */
  async save(name) {
    const description = `${this.step} updates in a page.`;
    const files = await checkpointFiles(name, { ...this.model.contents(), description });
    const parts = [];
    const zip = new Zip((error, part) => (error ? zip.terminate() : parts.push(part)));
    for (const { path, pieces } of files) {
      const entry = new ZipPassThrough(`${name}/${path}`);
      zip.add(entry);
      for await (const piece of pieces()) entry.push(piece);
      entry.push(new Uint8Array(), true);
    }
    zip.end();
    return new Blob(parts, { type: 'application/zip' });
  }

  async destroy() {
    await this.trainer?.destroy();
    await this.model.destroy();
  }
}
