// Training with parts of one's own, from outside: a sampler, an objective, a measure over the embeddings.
import { BatchSampler, pairsFromParallel, TrainingSet } from '@synglot/data';
import { openExecutor } from '@synglot/gpu/node';
import { EmbeddingModel, trainTokenizer } from '@synglot/models';
import {
  defaultAdamW,
  encoderParameters,
  freshParameters,
  ParameterStore,
  rowParams,
  rowResult,
  rowWeightsFeed,
} from '@synglot/nn';
import { contrastiveObjective, Trainer } from '@synglot/train';

const words = {
  en: ['red', 'green', 'blue', 'white', 'old', 'new', 'small', 'great'],
  fi: ['punainen', 'vihreä', 'sininen', 'valkoinen', 'vanha', 'uusi', 'pieni', 'suuri'],
};
const rows = Object.entries(words).flatMap(([lang, list]) =>
  list.flatMap((a, i) =>
    list.map((b, j) => ({
      key: `${i}-${j}`,
      lang,
      query: `${a} ${b}`,
      passage: `${b}, ${a}`,
      dataset: 'words',
      domain: 'toy',
    })),
  ),
);
const set = TrainingSet.from(pairsFromParallel(rows));
const texts = rows.flatMap(({ query, passage }) => [query, passage]);
const tokenizer = await trainTokenizer(texts, { vocabularySize: 90 });

/** A sampler is `next`, `state` and `restore`: this one takes two monolingual batches, then a cross-lingual one. */
class TwoToOne {
  #parts = ['monolingual', 'cross-lingual'].map(
    (mode) => new BatchSampler(set, { mode, batchSize: 12, seed: 1 }),
  );
  #drawn = 0;
  next = () => this.#parts[this.#drawn++ % 3 === 2 ? 1 : 0].next();
  state = () => ({ drawn: this.#drawn, parts: this.#parts.map((part) => part.state()) });
  restore({ drawn, parts }) {
    this.#drawn = drawn;
    for (const [i, part] of this.#parts.entries()) part.restore(parts[i]);
  }
}

/** Alignment (Wang & Isola 2020): the mean of ‖question − passage‖²; here its gradient moves the questions alone. */
const name = 'alignment';
const alignment = {
  name,
  weight: 0.3,
  results: [rowResult(name, 'queries')],
  emit(g, { queries, candidates }) {
    const { axis, columns } = queries;
    const bindings = {
      x: queries.tensor,
      reference: candidates.tensor,
      row_weights: g.feed(rowWeightsFeed(name, 'queries'), [axis.capacity], 'f32'),
    };
    const dispatch = (kernel, own, constants, factor) =>
      g.plan.dispatch(kernel, {
        label: `${kernel} of ${name}`,
        constants,
        bindings: { ...bindings, ...own },
        params: { ...rowParams(axis), columns, factor },
        workgroups: [Math.ceil(axis.capacity / 64)],
      });
    const loss = g.result(rowResult(name, 'queries'), [axis.capacity]);
    dispatch('squared_distance_forward', { loss }, {}, 1);
    return {
      backward: (into) =>
        into.queries.write((dX, ACCUMULATE) =>
          dispatch('squared_distance_backward', { d_x: dX.tensor }, { ACCUMULATE }, this.weight),
        ),
    };
  },
  value: (reads, { queries }) =>
    reads[rowResult(name, 'queries')].subarray(0, queries).reduce((sum, value) => sum + value, 0),
};
/** What the objective is fed of a batch: every row counts 1 / questions. */
const feeds = ({ packed, capacity }) => {
  const { queries } = packed.counts;
  return { [rowWeightsFeed(name, 'queries')]: new Float32Array(capacity.queries).fill(1 / queries) };
};

const config = {
  family: 'bert',
  vocabularySize: tokenizer.vocabularySize,
  hiddenSize: 32,
  layers: 1,
  heads: 2,
  intermediateSize: 64,
  maxPositions: 32,
  typeVocabularySize: 1,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.05,
};
const pooling = { mode: 'mean', normalize: true };
const [maxLength, steps] = [16, 45];
const executor = await openExecutor();
const specs = encoderParameters(config, pooling);
const store = new ParameterStore(executor, specs);
await store.load('parameter', freshParameters(config, specs, 1));
const trainer = new Trainer({
  executor,
  store,
  config,
  pooling,
  sampler: new TwoToOne(),
  encode: async (batch) => (await tokenizer.encodeBatch(batch, { maxLength })).map(({ ids }) => ids),
  objectives: [
    contrastiveObjective({ temperature: 0.05, direction: 'both' }),
    { objective: alignment, feeds },
  ],
  optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
  schedule: { learningRate: 5e-3, steps, warmupSteps: 4, decay: 'linear' },
  seed: 1,
});
const modes = [];
while (trainer.step < steps) {
  const { step, mode, objectives } = await trainer.update();
  modes.push(mode);
  if (step % 15 === 0) console.log(`step ${step}: ${JSON.stringify(objectives)}`);
}
await trainer.destroy();
console.log(`batches: ${modes.slice(0, 6).join(', ')}`);

// A measure: the mean distance of translations, from the embeddings as they are.
const model = new EmbeddingModel(executor, store, { config, pooling, maxLength, tokenizer });
const of = (lang) => rows.filter((row) => row.lang === lang).map(({ query }) => query);
const [en, fi] = [await model.embed(of('en')), await model.embed(of('fi'))];
const cosine = en.reduce((sum, value, i) => sum + value * fi[i], 0) / of('en').length;
console.log(`mean cosine of translations: ${cosine.toFixed(3)}`);
await model.destroy();
executor.destroy();
