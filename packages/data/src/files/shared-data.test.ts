/**
 * The readers on the real training sets, whose counts their ORIGIN.txt states. Needs the shared data:
 * `SYNGLOT_SHARED`, or a folder `shared` beside the repository.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { collate } from '../collate.js';
import type { Pair } from '../rows.js';
import { BatchSampler } from '../sampling/sampler.js';
import { TrainingSet } from '../training-set.js';
import { openTrainingData, type TrainingSource } from './registry.js';

const shared = process.env.SYNGLOT_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const data = join(shared, 'data');
const present = existsSync(data);
if (!present && process.env.REQUIRE_SHARED === '1') {
  throw new Error(
    `REQUIRE_SHARED=1, but there is no ${data}: set SYNGLOT_SHARED to the folder that holds 'data'`,
  );
}
if (!present) console.warn(`skipped: the readers on real data, for there is no ${data} (set SYNGLOT_SHARED)`);

const origin = (name: string) => readFileSync(join(data, name, 'ORIGIN.txt'), 'utf8');
async function countByLanguage(source: TrainingSource): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const { query, passage } of openTrainingData(source)) {
    if (query.lang !== passage.lang) throw new Error(`${query.id} and ${passage.id} differ in language`);
    counts.set(query.lang, (counts.get(query.lang) ?? 0) + 1);
  }
  return counts;
}

describe.skipIf(!present)('shared data', () => {
  test('debian-faq: 155 sections a language, fewer without the untranslated', async () => {
    const path = join(data, 'debian-faq');
    const all = await countByLanguage({ format: 'debian-faq', path, keepUntranslated: true });
    const stated = [...origin('debian-faq').matchAll(/^([a-z-]{2,5}) (\d+) \d+ \d+ (\d+) (\d+)$/gm)];
    expect(all).toEqual(new Map(stated.map(([, lang, rows]) => [lang, Number(rows)])));
    const translated = await countByLanguage({ format: 'debian-faq', path });
    expect(translated.get('en')).toBe(155);
    for (const [, lang, , answers, questions] of stated) {
      if (lang === 'en') continue;
      const fewest = Math.min(Number(answers), Number(questions));
      expect(translated.get(lang!)).toBeLessThanOrEqual(fewest);
      expect(translated.get(lang!)).toBeGreaterThan(fewest - 15);
    }
  });

  test('libreoffice-help: pages per language', async () => {
    const stated = [...origin('libreoffice-help').matchAll(/^([a-z-]{2,5}) (\d+) \d+ \d+$/gm)];
    expect(stated).toHaveLength(31);
    const counts = await countByLanguage({
      format: 'libreoffice-help',
      path: join(data, 'libreoffice-help'),
    });
    expect(Object.fromEntries(counts)).toEqual(
      Object.fromEntries(stated.map(([, lang, pages]) => [lang === 'en-us' ? 'en' : lang, Number(pages)])),
    );
  });

  test('mono-qa: answerable questions of every file', async () => {
    const path = join(data, 'mono-qa');
    const stated = [
      ...origin('mono-qa').matchAll(
        /^[a-z]{2}(?:-hans|-hant)?-(\S+?)\.\w+\.jsonl\.gz\t\S+\t\w+\t\d+\t(\d+)\t(\d+)\t/gm,
      ),
    ];
    expect(stated).toHaveLength(29);
    const expected: Record<string, number> = {};
    for (const [, set, questions, unanswerable] of stated) {
      expected[set!] = (expected[set!] ?? 0) + Number(questions) - Number(unanswerable);
    }
    const counts: Record<string, number> = {};
    const langs = new Set<string>();
    for await (const { query } of openTrainingData({ format: 'mono-qa', path })) {
      counts[query.domain] = (counts[query.domain] ?? 0) + 1;
      langs.add(query.lang);
    }
    expect(counts).toEqual(expected);
    expect(langs).toContain('zh-cn');
    expect(langs).toContain('zh-tw');
    const one = await countByLanguage({ format: 'mono-qa', path, sets: ['norquad'], splits: ['annot'] });
    expect([...one]).toEqual([['no', 1302]]);
    await expect(countByLanguage({ format: 'mono-qa', path, sets: ['norquat'] })).rejects.toThrow(
      "did you mean 'norquad'",
    );
  });

  test('parallel-faq: pairs per source, languages under one code each', async () => {
    const stated = [
      ...origin('parallel-faq').matchAll(/^(\S+): .* (\d+) languages, (\d+) pairs, (\d+) keys$/gm),
    ];
    expect(stated).toHaveLength(6);
    const pairs: Pair[] = [];
    for await (const pair of openTrainingData({ format: 'parallel-faq', path: join(data, 'parallel-faq') }))
      pairs.push(pair);
    for (const [, source, languages, count, keys] of stated) {
      const own = pairs.filter((pair) => pair.query.domain === source);
      expect(own).toHaveLength(Number(count));
      expect(new Set(own.map((pair) => pair.query.lang)).size).toBe(Number(languages));
      expect(new Set(own.map((pair) => pair.query.parallelId)).size).toBe(Number(keys));
    }
    const langs = [...new Set(pairs.map((pair) => pair.query.lang))];
    expect(langs.filter((lang) => lang.includes('-')).sort()).toEqual(['pt-br', 'zh-cn', 'zh-tw']);
    expect(langs).not.toContain('gr');
  });

  test('miracl-mini: train queries, positives and judged negatives', async () => {
    const path = join(data, 'miracl-mini');
    const stated = [...origin('miracl-mini').matchAll(/^(\w\w)\t\d+\t\((\d+), (\d+), (\d+)\)\t/gm)];
    expect(stated).toHaveLength(15);
    const found: Record<string, { queries: Set<string>; positives: number; negatives: Set<string> }> = {};
    for await (const { query, negatives } of openTrainingData({ format: 'miracl', path })) {
      found[query.lang] ??= { queries: new Set(), positives: 0, negatives: new Set() };
      const own = found[query.lang]!;
      own.queries.add(query.parallelId);
      own.positives++;
      for (const negative of negatives) own.negatives.add(`${query.parallelId} ${negative.parallelId}`);
    }
    const counts = Object.entries(found).map(([lang, own]) => [
      lang,
      own.queries.size,
      own.positives,
      own.negatives.size,
    ]);
    expect(counts).toEqual(stated.map(([, lang, ...numbers]) => [lang, ...numbers.map(Number)]));
    await expect(countByLanguage({ format: 'miracl', path, langs: ['de'] })).rejects.toThrow(
      "unknown language 'de'",
    );
  });

  test('scifact: 919 judgments of 809 training claims', async () => {
    const path = join(data, 'ir-collections', 'scifact');
    const claims = new Set<string>();
    let pairs = 0;
    for await (const { query } of openTrainingData({ format: 'beir', path })) {
      claims.add(query.parallelId);
      pairs++;
    }
    expect([claims.size, pairs]).toEqual([809, 919]);
    expect(await countByLanguage({ format: 'beir', path, split: 'test' })).toEqual(new Map([['en', 339]]));
  });

  test('squad2-fi-en: all questions in a training set, in hybrid batches that pack', async () => {
    const path = join(data, 'squad2-fi-en');
    const set = await TrainingSet.read(openTrainingData({ format: 'squad2-fi-en', path }));
    expect([set.items.length, set.passages.length]).toEqual([130_319, 19_035]);
    expect(set.languages).toEqual(['en', 'fi']);
    const first = new BatchSampler(set, { batchSize: 64, seed: 5, mode: 'hybrid' });
    for (let i = 0; i < 200; i++) first.next();
    const second = new BatchSampler(set, { batchSize: 64, seed: 5, mode: 'hybrid' });
    second.restore(JSON.parse(JSON.stringify(first.state())));
    const [batch, same] = [first.next(), second.next()];
    expect(same).toEqual(batch);
    const packed = await collate(batch, (texts) =>
      texts.map((text) => [...text].map((letter) => letter.codePointAt(0)!)),
    );
    expect(new Set(packed.groups).size).toBe(64);
  });

  test('squad2-fi-en: the first five questions, and a limit', async () => {
    const path = join(data, 'squad2-fi-en');
    const cleaner = await countByLanguage({
      format: 'squad2-fi-en',
      path,
      questionsPerParagraph: 5,
      langs: ['fi'],
    });
    expect(cleaner).toEqual(new Map([['fi', 88_062]]));
    expect(await countByLanguage({ format: 'squad2-fi-en', path, limit: 100 })).toEqual(
      new Map([
        ['en', 100],
        ['fi', 100],
      ]),
    );
  });
});
