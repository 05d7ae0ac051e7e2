/**
 * Writes the batch of a step benchmark for `peers/sentence_transformers_step.py`, so that both see the same tokens.
 *
 *   node packages/bench/dist/step-batch.js --shape xlm-r-base --pairs 128 --lengths xquad-r --output batch.json
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkLengths, checkNumbers, tellMistakes } from './arguments.js';
import { seededBatch, shapes } from './shapes.js';

tellMistakes();
const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: 'xlm-r-base' },
    pairs: { type: 'string', default: '128' },
    lengths: { type: 'string', default: 'xquad-r' },
    output: { type: 'string', default: 'batch.json' },
  },
});
checkNumbers(values, ['pairs']);
checkLengths(values);
const shape = shapes[values.shape];
if (!shape) {
  console.error(`unknown shape '${values.shape}'; there are ${Object.keys(shapes).join(', ')}`);
  process.exit(2);
}
const lengths = values.lengths === 'xquad-r' ? 'xquad-r' : Number(values.lengths);
const { encoder, pooling } = shape;
const batch = seededBatch(Number(values.pairs), lengths, encoder.vocabularySize);
const texts = Array.from({ length: 2 * batch.queries }, (_, text) =>
  Array.from(batch.ids.subarray(batch.cuSeqlens[text], batch.cuSeqlens[text + 1])),
);
writeFileSync(
  values.output,
  JSON.stringify({
    shape: values.shape,
    encoder,
    pooling,
    lengths,
    queries: texts.slice(0, batch.queries),
    passages: texts.slice(batch.queries),
  }),
);
console.log(`wrote ${values.output}: ${batch.queries} pairs, ${batch.ids.length} tokens`);
