/**
 * The benchmark readers on real collections, whose counts their ORIGIN.txt states. Needs the shared data:
 * `SYNGLOT_SHARED`, or a folder `shared` beside the repository.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  lareqaCounts,
  readBeirCollection,
  readLareqa,
  readMiraclCollections,
  readTatoeba,
  xtremeTatoebaLanguages,
} from './index.js';

const shared =
  process.env.SYNGLOT_SHARED ?? fileURLToPath(new URL('../../../../../../shared', import.meta.url));
const data = join(shared, 'data');
const present = existsSync(data);
if (!present && process.env.REQUIRE_SHARED === '1') {
  throw new Error(
    `REQUIRE_SHARED=1, but there is no ${data}: set SYNGLOT_SHARED to the folder that holds 'data'`,
  );
}
if (!present) console.warn(`skipped: benchmarks on real data, for there is no ${data} (set SYNGLOT_SHARED)`);

const origin = (name: string) => readFileSync(join(data, name, 'ORIGIN.txt'), 'utf8');

async function documentsOf(corpus: AsyncIterable<{ readonly id: string }>): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { id } of corpus) ids.add(id);
  return ids;
}

describe.skipIf(!present)('shared data', () => {
  test('lareqa: 13,014 candidates, 13,090 questions, 11 relevant each, published counts a language', async () => {
    const { candidates, queries, relevant, langs } = await readLareqa(join(data, 'xquad-r'));
    expect(candidates).toHaveLength(lareqaCounts.candidates);
    expect(queries).toHaveLength(lareqaCounts.questions);
    expect(relevant.every((list) => list.length === 11)).toBe(true);
    const count = (lang: string) => candidates.filter((candidate) => candidate.lang === lang).length;
    expect(Object.fromEntries(langs.map((lang) => [lang, count(lang)]))).toEqual({
      ar: 1222,
      de: 1276,
      el: 1234,
      en: 1180,
      es: 1215,
      hi: 1244,
      ru: 1219,
      th: 852,
      tr: 1167,
      vi: 1209,
      zh: 1196,
    });
  });

  test.each(['scifact', 'cranfield'])('%s: documents, queries and judgments as stated', async (name) => {
    const collection = await readBeirCollection(join(data, 'ir-collections', name));
    const stated = /docs (\d+), queries (\d+), qrels (\d+) \(relevant (\d+)\)/.exec(
      origin(`ir-collections/${name}`),
    )!;
    const ids = await documentsOf(collection.corpus());
    const grades = [...collection.judgments.values()].flatMap((judged) => [...judged.values()]);
    expect([ids.size, collection.queries.length, grades.length, grades.filter((g) => g > 0).length]).toEqual(
      stated.slice(1).map(Number),
    );
    for (const judged of collection.judgments.values()) {
      for (const id of judged.keys()) expect(ids.has(id)).toBe(true);
    }
  });

  test('miracl-mini: passages, queries and grades of 17 languages as stated', async () => {
    const stated = [
      ...origin('miracl-mini').matchAll(/^([a-z]{2})\t(\d+)\t[^\t]+\t\((\d+), (\d+), (\d+)\)/gm),
    ];
    expect(stated).toHaveLength(17);
    const collections = await readMiraclCollections(join(data, 'miracl-mini'));
    for (const [, lang, passages, queries, positive, negative] of stated) {
      const collection = collections.find((one) => one.lang === lang)!;
      const ids = await documentsOf(collection.corpus());
      const grades = [...collection.judgments.values()].flatMap((judged) => [...judged.values()]);
      const found = [ids.size, collection.queries.length, grades.filter((g) => g > 0).length];
      expect([lang, ...found, grades.filter((g) => g === 0).length]).toEqual([
        lang,
        ...[passages, queries, positive, negative].map(Number),
      ]);
    }
  });

  test('tatoeba: 112 languages, 88,877 pairs; the 36 of XTREME are among them', async () => {
    const bitexts = await readTatoeba(join(data, 'tatoeba-laser'));
    expect(bitexts).toHaveLength(112);
    expect(bitexts.reduce((sum, { sentences }) => sum + sentences[0].length, 0)).toBe(88_877);
    expect(xtremeTatoebaLanguages).toHaveLength(36);
    expect(await readTatoeba(join(data, 'tatoeba-laser'), { langs: xtremeTatoebaLanguages })).toHaveLength(
      36,
    );
  });
});
