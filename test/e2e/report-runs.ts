/** Runs for the tests of `synglot report`: folders as trainings and evaluations leave them, with seeded values. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNpy } from '@synglot/models';
import { randomFloats, uniform } from '../support/random.js';

export const langs = ['ar', 'de', 'el', 'en', 'es', 'hi', 'ru', 'th', 'tr', 'vi', 'zh'];
export const hostile = '</script><script>window.broken = 1</script><img src=x onerror="window.broken = 2">';
export const settings = ['monolingual', 'cross_lingual', 'multilingual'] as const;

/** An evaluation as `synglot eval --json` writes it, with seeded values around what `alpha` would do. */
export function evaluation(seed: number, alpha: number, more: object = {}): object {
  const random = uniform(seed);
  const near = (value: number) => Math.min(1, Math.max(0, value + (random() - 0.5) * 0.08));
  const ease = Object.fromEntries(langs.map((lang) => [lang, near(0.05)]));
  const means = (value: number) => ({
    'AP@20': near(value),
    'Recall@1': near(value - 0.12),
    'nDCG@10': near(value),
  });
  const mono = 0.72 + 0.06 * alpha;
  const cross = 0.7 - 0.08 * alpha ** 2;
  const rows = <T>(make: (query: string) => T) => Object.fromEntries(langs.map((lang) => [lang, make(lang)]));
  const of = (value: number) => ({
    monolingual: near(mono),
    cross_lingual: near(cross),
    multilingual: near(value),
  });
  const shares = (own: number) =>
    rows((query) => Object.fromEntries(langs.map((lang) => [lang, lang === query ? own : (1 - own) / 10])));
  return {
    task: 'xquad-r',
    collection: 'xquad-r',
    model: `runs/alpha-${alpha}/model`,
    device: 'a software device',
    langs,
    profile: 'lareqa',
    map_measure: 'AP@20',
    measures: ['AP@20', 'Recall@1', 'nDCG@10'],
    alpha,
    summary: {
      map: of(cross - 0.1),
      rank_distance: 230 + 150 * alpha ** 2 + 10 * random(),
      measures: { 'AP@20': of(cross - 0.1), 'Recall@1': of(0.2), 'nDCG@10': of(0.6) },
    },
    monolingual: rows((query) => means(mono + ease[query]! - 0.05)),
    cross_lingual: rows((query) =>
      Object.fromEntries(
        langs
          .filter((pool) => pool !== query)
          .map((pool) => [pool, means(cross + ease[query]! + ease[pool]! - 0.15)]),
      ),
    ),
    multilingual: rows(() => means(cross - 0.1)),
    language_share: { pool: {}, top_1: shares(0.2 + 0.4 * alpha), top_10: shares(0.1 + 0.3 * alpha) },
    ...more,
  };
}

export function worstQueries(): object[] {
  const random = uniform(5);
  const text = { en: 'Where did the river begin?', ar: 'أين بدأ النهر؟', zh: '河流从哪里开始？' };
  return Object.entries(text).flatMap(([lang, query], index) =>
    settings.map((setting) => ({
      id: `q${index}`,
      lang,
      text: lang === 'en' && setting === 'monolingual' ? `${query} ${hostile}` : query,
      setting,
      value: Math.round(random() * 1000) / 10_000,
      ranking: Array.from({ length: 6 }, (_, rank) => ({
        rank: rank + 1,
        id: `p${rank}`,
        lang: langs[(rank * 3 + index) % langs.length],
        text: `Passage ${rank}: a sentence of some length about rivers, hills and who lived between them.`,
        score: 0.9 - rank * 0.05,
        relevant: rank === 4,
      })),
    })),
  );
}

/** Bootstrap intervals as `synglot eval` writes them. */
function intervals(): object {
  const measure = { monolingual: [0.77, 0.8], cross_lingual: [0.65, 0.68], multilingual: [0.56, 0.61] };
  return { confidence: 0.95, resamples: 1000, measures: { 'AP@20': measure }, rank_distance: [240, 310] };
}

/** The lines of `metrics.jsonl` of a run of `steps` updates. */
function metrics(seed: number, steps: number): string {
  const random = uniform(seed);
  const lines: object[] = [];
  for (let step = 1; step <= steps; step++) {
    const loss = 0.4 + 3 * Math.exp(-step / (steps / 5)) + random() * 0.3;
    const learning_rate = 3e-5 * Math.min(step / (steps / 10), (steps - step) / (steps * 0.9));
    lines.push({
      step,
      loss,
      learning_rate,
      gradient_norm: 1 + 4 * random() * loss,
      mode: 'monolingual',
      seconds: 1,
    });
    if (step % 50 === 0) lines.push({ step, validation_loss: loss + 0.1 });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Embeddings with an island for each third language; row i is in language i mod 11. */
async function writeEmbeddings(folder: string): Promise<void> {
  const [rows, columns] = [660, 24];
  const data = randomFloats(rows * columns, 9);
  for (let row = 0; row < rows; row++) data[row * columns + ((row % 11) % 3)]! += 2;
  await writeNpy(join(folder, 'candidates.npy'), rows, columns, [data]);
  const lines = Array.from({ length: rows }, (_, row) => langs[row % 11]!);
  await writeFile(join(folder, 'candidates.langs.txt'), `${lines.join('\n')}\n`);
  await writeFile(
    join(folder, 'candidates.texts.txt'),
    lines.map((lang, row) => `text ${row} in ${lang}\n`).join(''),
  );
}

/** Figures of language bias as `synglot eval` writes them. */
function bias(): object {
  const first = { relevant_own: 0.5, relevant_other: 0.125, wrong_own: 0.25, wrong_other: 0.125 };
  const gap = { gap: 0.125, best: 'en', worst: 'th' };
  return {
    max_rank: { en: 300, th: 500 },
    equal_expected_rank: { en: { relevant: null, other: 0.25 }, th: { relevant: 0.5, other: 0.125 } },
    language_preference: {
      en: { own_language_first: 0.75, first_passage: first },
      th: { own_language_first: 0.25, first_passage: first },
    },
    language_gap: { 'AP@20': { monolingual: gap, cross_lingual: gap, multilingual: gap } },
    rank_correlation: { mean: 0.0625, by_lang: {}, questions: 3 },
  };
}

/** Judged collections, a bitext and runs, as `synglot eval --json` writes them. */
export async function writeCollections(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const judged = (model: string, value: number) => ({
    task: 'miracl',
    model: `models/${model}`,
    reports: ['sw', 'yo'].map((lang, index) => ({
      collection: `miracl-${lang}`,
      lang,
      queries: 482,
      documents: 5000,
      means: { 'nDCG@10': value + index / 4, 'Recall@100': 0.5 },
      ...(index === 0 ? { intervals: { 'nDCG@10': [value - 0.0625, value + 0.0625] } } : {}),
    })),
  });
  await writeJson(join(folder, 'one.json'), judged('small', 0.25));
  await writeJson(join(folder, 'two.json'), judged(hostile.replaceAll('/', ' '), 0.375));
  await writeJson(join(folder, 'tatoeba.json'), {
    task: 'tatoeba',
    model: 'models/small',
    reports: [
      {
        collection: 'deu-eng',
        langs: ['deu', 'eng'],
        sentences: 1000,
        accuracy_forward: 0.5,
        accuracy_backward: 0.75,
      },
    ],
  });
  await writeJson(join(folder, 'trec.json'), [
    {
      run: 'bm25',
      profile: 'trec_eval',
      tag: 't',
      summary: { map: 0.125, runid: 't' },
      per_topic: { 1: {} },
      notes: [],
    },
  ]);
  await writeJson(join(folder, 'parallel.json'), evaluation(1, 0.5, bias()));
}

export async function writeJson(path: string, value: unknown): Promise<string> {
  await writeFile(path, JSON.stringify(value));
  return path;
}

/** A folder as several trainings and evaluations leave it: ten runs. */
export async function writeRuns(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [index, alpha] of [0, 0.25, 0.5, 0.75, 1].entries()) {
    const run = join(folder, `alpha-${alpha}`);
    await mkdir(run);
    await writeFile(join(run, 'metrics.jsonl'), metrics(index, 400 + 700 * index));
    await writeJson(join(run, 'config.json'), { model: 'xlm-r', sampling: { mode: 'hybrid', alpha } });
    const more = index === 2 ? { worst_queries: worstQueries(), intervals: intervals() } : {};
    await writeJson(join(run, 'eval.json'), evaluation(10 + index, alpha, more));
    await writeJson(
      join(folder, `seed-1-alpha-${alpha}.json`),
      evaluation(20 + index, alpha, { series: 'xlm-r' }),
    );
  }
  await writeEmbeddings(join(folder, 'alpha-0.5'));
}
