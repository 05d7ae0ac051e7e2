// Puts what `synglot eval --json` wrote for several benchmarks into one small result file: means, counts, intervals,
// not single queries. docs/evaluation.md cites it.
//
//   node packages/eval/scripts/collect-results.mjs --output FILE --commit HASH a.json b.json …
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { output: { type: 'string' }, commit: { type: 'string' } },
  allowPositionals: true,
});
if (!values.output || !values.commit || positionals.length === 0) {
  console.error('usage: collect-results.mjs --output FILE --commit HASH a.json b.json …');
  process.exit(2);
}
const left = new Set(['per_query', 'worst_queries', 'embeddings', 'data']);
const strip = (value) =>
  Array.isArray(value)
    ? value.map(strip)
    : value && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([key]) => !left.has(key))
            .map(([key, inner]) => [key, strip(inner)]),
        )
      : value;
const evaluations = positionals.map((path) => {
  const json = strip(JSON.parse(readFileSync(path, 'utf8')));
  // The model is named by its package, not by where it was installed.
  return { ...json, model: json.model?.replace(/^.*node_modules\//, '') };
});
writeFileSync(values.output, `${JSON.stringify({ commit: values.commit, evaluations }, null, 1)}\n`);
console.log(`${values.output}: ${evaluations.length} evaluations`);
