// Measures of one ranking, then the three settings and the language bias of a small parallel collection.
import {
  evaluateRetrieval,
  judgeRanking,
  measureNamed,
  profiles,
  referenceScorer,
  settingsTable,
} from '@synglot/eval';

// One query: the first and the fourth passage found are relevant, a third relevant one was not found.
const ranking = judgeRanking([1, 0, 0, 1], [1, 1, 1]);
for (const name of ['AP', 'nDCG@10', 'RR@10', 'Recall@1']) {
  console.log(`${name}: ${measureNamed(name, profiles.trec_eval).evaluate(ranking).toFixed(4)}`);
}

// Three questions in two languages; candidate i of each language answers question i of every language.
const langs = ['de', 'en'];
const ids = langs.flatMap((lang) => [0, 1, 2].map((i) => ({ id: `${i}_${lang}`, lang })));
const collection = {
  name: 'six questions',
  langs,
  queries: ids,
  candidates: ids,
  relevant: ids.map((_, index) => [index % 3, (index % 3) + 3]),
};

// Embeddings [6, 5]: three dimensions of meaning, two of language. `bias` is how much the language counts.
function embeddings(bias) {
  return Float32Array.from(
    ids.flatMap(({ lang }, index) => {
      const meaning = [0, 1, 2].map((i) => (i === index % 3 ? 1 : 0));
      const language = langs.map((other) => (other === lang ? bias : 0));
      const length = Math.hypot(...meaning, ...language);
      return [...meaning, ...language].map((value) => value / length);
    }),
  );
}

const rows = [];
for (const [label, bias] of [
  ['language-blind', 0],
  ['biased', 2],
]) {
  const vectors = embeddings(bias);
  const { summary } = await evaluateRetrieval({
    collection,
    queryEmbeddings: vectors,
    candidateEmbeddings: vectors,
    dimension: 5,
    scorer: referenceScorer,
  });
  rows.push({ label, summary });
}
console.log(settingsTable(rows));
