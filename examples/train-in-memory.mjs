// Trains a small encoder from scratch on pairs in memory: tokenizer, fresh weights, updates, embeddings.
import { BatchSampler, pairsFromParallel, TrainingSet } from '@synglot/data';
import { openExecutor } from '@synglot/gpu/node';
import { EmbeddingModel, trainTokenizer } from '@synglot/models';
import { defaultAdamW, encoderParameters, freshParameters, ParameterStore } from '@synglot/nn';
import { contrastiveObjective, Trainer } from '@synglot/train';

// Numbers from 1 to 32, spoken and written out in three languages.
const ones = {
  en: ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'],
  es: ['uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis', 'siete', 'ocho'],
  fi: ['yksi', 'kaksi', 'kolme', 'neljä', 'viisi', 'kuusi', 'seitsemän', 'kahdeksan'],
};
const colours = {
  en: ['red', 'green', 'blue', 'white'],
  es: ['rojo', 'verde', 'azul', 'blanco'],
  fi: ['punainen', 'vihreä', 'sininen', 'valkoinen'],
};
const rows = Object.keys(ones).flatMap((lang) =>
  ones[lang].flatMap((number, i) =>
    colours[lang].map((colour, j) => ({
      key: `${i}-${j}`,
      lang,
      query: `${number} ${colour}`,
      passage: `${colour}, ${number}`,
      dataset: 'numbers',
      domain: 'toy',
    })),
  ),
);
const set = TrainingSet.from(pairsFromParallel(rows));
const tokenizer = await trainTokenizer(
  rows.flatMap(({ query, passage }) => [query, passage]),
  { vocabularySize: 120 },
);

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
const maxLength = 16;
const steps = 40;

const executor = await openExecutor();
const specs = encoderParameters(config, pooling);
const store = new ParameterStore(executor, specs);
await store.load('parameter', freshParameters(config, specs, 1));
const trainer = new Trainer({
  executor,
  store,
  config,
  pooling,
  sampler: new BatchSampler(set, { mode: 'hybrid', alpha: 0.5, batchSize: 16, seed: 1 }),
  encode: async (texts) => (await tokenizer.encodeBatch(texts, { maxLength })).map(({ ids }) => ids),
  objectives: [contrastiveObjective({ temperature: 0.05, direction: 'both' })],
  optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
  schedule: { learningRate: 5e-3, steps, warmupSteps: 4, decay: 'linear' },
  seed: 1,
});
const losses = [];
while (trainer.step < steps) {
  const { step, loss, mode } = await trainer.update();
  losses.push(loss);
  if (step % 10 === 0) console.log(`step ${step} (${mode}): loss ${loss.toFixed(4)}`);
}
await trainer.destroy();

// The weights are still on the device: an embedding model takes them from there.
const model = new EmbeddingModel(executor, store, { config, pooling, maxLength, tokenizer });
const vectors = await model.embed(['three blue', 'azul, tres', 'blanco, ocho']);
const dot = (a, b) => {
  const d = model.dimension;
  return vectors.subarray(a * d, (a + 1) * d).reduce((sum, value, i) => sum + value * vectors[b * d + i], 0);
};
console.log(
  `three blue ~ azul, tres: ${dot(0, 1).toFixed(3)}; three blue ~ blanco, ocho: ${dot(0, 2).toFixed(3)}`,
);
console.log(`learned: ${losses.at(-1) < losses[0] / 4 && dot(0, 1) > dot(0, 2)}`);
await model.destroy();
executor.destroy();
