/**
 * Writes small bilingual lexicons from the names of symbols in Unicode CLDR (npm `cldr-annotations-full`,
 * Unicode licence), in MUSE's layout: what the code-switching recipe runs on without a download.
 *
 *   node scripts/cldr-lexicons.mjs [--langs en,de,fi] [--output recipes/lexicons]
 *
 * A pair is two names of one word each. MUSE's or PanLex's lexicons are a hundred times larger.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    langs: { type: 'string', default: 'de,en,fi' },
    output: { type: 'string', default: 'recipes/lexicons' },
  },
});
const langs = values.langs.split(',');
const require = createRequire(new URL('../packages/synglot/package.json', import.meta.url));
const folder = join(dirname(require.resolve('cldr-annotations-full/package.json')), 'annotations');
const isWord = (text) => /^[\p{L}\p{M}]+$/u.test(text ?? '');

/** Names by symbol. */
function names(lang) {
  const { annotations } = JSON.parse(
    readFileSync(join(folder, lang, 'annotations.json'), 'utf8'),
  ).annotations;
  return new Map(Object.entries(annotations).map(([symbol, { tts }]) => [symbol, tts?.[0]]));
}

mkdirSync(values.output, { recursive: true });
const tables = new Map(langs.map((lang) => [lang, names(lang)]));
for (const from of langs) {
  for (const to of langs) {
    if (from === to) continue;
    const lines = new Set();
    for (const [symbol, word] of tables.get(from)) {
      const translation = tables.get(to).get(symbol);
      if (isWord(word) && isWord(translation) && word.toLowerCase() !== translation.toLowerCase())
        lines.add(`${word.toLowerCase()} ${translation.toLowerCase()}\n`);
    }
    writeFileSync(join(values.output, `${from}-${to}.txt`), [...lines].sort().join(''));
    console.log(`${from}-${to}.txt: ${lines.size} entries`);
  }
}
