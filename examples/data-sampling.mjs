// Parallel pairs in memory, hybrid batches, and a sampler that goes on where another one stopped.
import { BatchSampler, pairsFromParallel, TrainingSet } from '@synglot/data';

// One row per question and language. Rows of one `key` are translations of each other.
const faq = {
  hours: {
    en: ['When are you open?', 'From nine to five.'],
    fi: ['Milloin olette auki?', 'Yhdeksästä viiteen.'],
  },
  price: { en: ['What does it cost?', 'It is free.'], fi: ['Paljonko se maksaa?', 'Se on ilmainen.'] },
  place: { en: ['Where are you?', 'In Turku.'], fi: ['Missä olette?', 'Turussa.'] },
  phone: { en: ['Can I call?', 'Write to us instead.'], fi: ['Voinko soittaa?', 'Kirjoita mieluummin.'] },
};
const rows = Object.entries(faq).flatMap(([key, languages]) =>
  Object.entries(languages).map(([lang, [query, passage]]) => ({
    key,
    lang,
    query,
    passage,
    dataset: 'faq',
    domain: 'shop',
  })),
);
const set = TrainingSet.from(pairsFromParallel(rows));
console.log(
  `${set.rows.length} texts, ${set.items.length} questions, languages: ${set.languages.join(', ')}`,
);

// Half of the batches in one language, half across two. A question is in a batch once, in whatever language.
const options = { batchSize: 2, seed: 1, mode: 'hybrid', alpha: 0.5 };
const sampler = new BatchSampler(set, options);
for (let i = 0; i < 4; i++) {
  const { index, mode, pairs } = sampler.next();
  const shown = pairs.map(
    ({ query, passage }) => `${query.text} [${query.lang}] → ${passage.text} [${passage.lang}]`,
  );
  console.log(`batch ${index}, ${mode}: ${shown.join(' | ')}`);
}

// The state is a little JSON; restoring replays nothing.
const state = JSON.parse(JSON.stringify(sampler.state()));
const resumed = new BatchSampler(set, options);
resumed.restore(state);
const same = JSON.stringify(resumed.next()) === JSON.stringify(sampler.next());
console.log(`the restored sampler draws the same batch: ${same}`);
