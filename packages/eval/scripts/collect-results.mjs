// Puts what `synglot eval --json` wrote for several benchmarks into one small result file: means, counts, intervals,
// not single queries. docs/evaluation.md cites it.
//
//   node packages/eval/scripts/collect-results.mjs --output FILE HASH:a.json HASH:b.json …
//
// HASH is the commit that made a file.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { output: { type: 'string' } },
  allowPositionals: true,
});
const files = positionals.map((each) => /^([0-9a-f]{7,40}):(.+)$/.exec(each));
if (!values.output || files.length === 0 || files.includes(null)) {
  console.error('usage: collect-results.mjs --output FILE HASH:a.json HASH:b.json …');
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
const evaluations = files.map(([, commit, path]) => {
  const json = strip(JSON.parse(readFileSync(path, 'utf8')));
  // The model is named by its package, not by where it was installed.
  return { commit, ...json, model: json.model?.replace(/^.*node_modules\//, '') };
});
writeFileSync(values.output, `${JSON.stringify({ evaluations }, null, 1)}\n`);
console.log(`${values.output}: ${evaluations.length} evaluations`);
