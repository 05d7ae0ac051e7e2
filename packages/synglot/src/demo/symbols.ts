/**
 * The demo's data: names and keywords of symbols in the eleven languages of XQuAD-R, from Unicode CLDR
 * (npm `cldr-annotations-full`, Unicode licence). Translated by people, small, real.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { holdOut, type Pair, ParallelCollection, type Row } from '@synglot/data';

/** The languages of XQuAD-R. */
const demoLanguages = ['ar', 'de', 'el', 'en', 'es', 'hi', 'ru', 'th', 'tr', 'vi', 'zh'] as const;

export interface SymbolData {
  readonly training: Pair[];
  readonly heldOut: ParallelCollection;
  readonly trainingSymbols: number;
  readonly heldOutSymbols: number;
}

interface Annotation {
  readonly default?: string[];
  readonly tts?: string[];
}

/** Keywords of one symbol that are used; some have dozens. */
const maxKeywords = 5;

/**
 * Query: a symbol's name. Passage: its other keywords. `parallel_id`: the symbol. Symbols are held
 * out whole, in all languages.
 */
export async function readSymbols(
  heldOutShare: number,
  langs: readonly string[] = demoLanguages,
): Promise<SymbolData> {
  const tables = await Promise.all(langs.map(readAnnotations));
  const [first = {}] = tables;
  const symbols = Object.keys(first)
    .filter((symbol) => tables.every((table) => table[symbol]?.tts?.[0] && table[symbol]?.default?.length))
    .sort();
  const training: Pair[] = [];
  const queries: { id: string; lang: string; text: string }[] = [];
  const candidates: { id: string; lang: string; text: string }[] = [];
  const held = symbols.filter((symbol) => holdOut(symbol, heldOutShare));
  const heldSet = new Set(held);
  langs.forEach((lang, index) => {
    for (const symbol of symbols) {
      const { name, keywords } = describe(tables[index]?.[symbol] as Annotation);
      const row = (text: string): Row => ({
        id: `${symbol} ${lang}`,
        text,
        lang,
        parallelId: symbol,
        dataset: 'cldr-annotations',
        domain: 'symbols',
      });
      if (heldSet.has(symbol)) {
        queries.push({ id: `${symbol}_${lang}`, lang, text: name });
        candidates.push({ id: `${symbol}_${lang}`, lang, text: keywords });
      } else {
        training.push({ query: row(name), passage: row(keywords), negatives: [] });
      }
    }
  });
  // Queries and candidates are laid out alike: language by language, symbols in order.
  const relevant = queries.map((_, query) =>
    Uint32Array.from(langs, (_lang, index) => index * held.length + (query % held.length)),
  );
  const heldOut = new ParallelCollection({
    name: 'held-out symbols',
    langs: [...langs],
    queries,
    candidates,
    relevant,
  });
  return { training, heldOut, trainingSymbols: symbols.length - held.length, heldOutSymbols: held.length };
}

function describe(annotation: Annotation): { name: string; keywords: string } {
  const name = annotation.tts?.[0] as string;
  const others = (annotation.default ?? []).filter((keyword) => keyword !== name);
  const keywords = (others.length > 0 ? others : [name]).slice(0, maxKeywords).join(', ');
  return { name, keywords };
}

async function readAnnotations(lang: string): Promise<Record<string, Annotation>> {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`cldr-annotations-full/annotations/${lang}/annotations.json`);
  const file = JSON.parse(await readFile(path, 'utf8')) as {
    annotations: { annotations: Record<string, Annotation> };
  };
  return file.annotations.annotations;
}
