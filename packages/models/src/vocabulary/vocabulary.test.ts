import { describe, expect, test } from 'vitest';
import type { Tokenizer } from '../tokenizer.js';
import { trainTokenizer } from '../tokenizer-training.js';
import { extendVocabulary } from './extend.js';
import { Segmenter } from './segment.js';
import { vocabularyOf } from './tokenizer-json.js';
import { trimVocabulary } from './trim.js';

const english = Array.from(
  { length: 60 },
  (_, i) => `The old apple tree ${i} stands near the river and the red house`,
);
const german = Array.from(
  { length: 60 },
  (_, i) => `Der alte Apfelbaum ${i} steht am Fluss neben dem roten Haus`,
);
const greek = Array.from(
  { length: 30 },
  (_, i) => `Το παλιό δέντρο ${i} κοντά στο ποτάμι και το παλιό σπίτι`,
);
const models = ['unigram', 'wordpiece'] as const;

/** What a text is split into, as tokens. */
async function pieces(tokenizer: Tokenizer, text: string): Promise<(string | undefined)[]> {
  const { ids } = await tokenizer.encode(text);
  return [...ids].map((id) => tokenizer.idToToken(id));
}

describe.each(models)('%s', (model) => {
  const train = () => trainTokenizer([...english, ...german], { vocabularySize: 160, model });

  test('trimmed: covered texts keep their tokens, fewer ids, special tokens first', async () => {
    const tokenizer = await train();
    const trimmed = await trimVocabulary(tokenizer, english);
    expect(trimmed.tokenizer.vocabularySize).toBe(trimmed.oldIds.length);
    expect(trimmed.oldIds.length).toBeLessThan(tokenizer.vocabularySize);
    for (const text of [...english, 'near the red river', 'stands']) {
      expect(await pieces(trimmed.tokenizer, text), text).toEqual(await pieces(tokenizer, text));
      const { ids } = await trimmed.tokenizer.encode(text);
      const { ids: before } = await tokenizer.encode(text);
      expect([...ids].map((id) => trimmed.oldIds[id])).toEqual([...before]);
    }
    expect([...trimmed.tokenizer.specialTokens]).toEqual([...tokenizer.specialTokens]);
    // What is not covered still has its characters.
    const unknown = tokenizer.specialTokens.get('unk_token');
    expect(await pieces(trimmed.tokenizer, german[3] as string)).not.toContain(unknown);
    expect(await pieces(trimmed.tokenizer, german[3] as string)).not.toEqual(
      await pieces(tokenizer, german[3] as string),
    );
  });

  test('a pair keeps its template', async () => {
    const tokenizer = await train();
    const { tokenizer: trimmed, oldIds } = await trimVocabulary(tokenizer, english);
    const [a, b] = [english[0] as string, english[1] as string];
    const [before, after] = [await tokenizer.encodePair(a, b), await trimmed.encodePair(a, b)];
    expect([...after.ids].map((id) => oldIds[id])).toEqual([...before.ids]);
    expect(after.typeIds).toEqual(before.typeIds);
  });

  test('the segmenter splits words as the library does', async () => {
    const tokenizer = await train();
    const segmenter = new Segmenter(vocabularyOf(tokenizer));
    for (const word of ['apple', 'Apfelbaum', 'riverside', 'xapplex', 'Hausdach', 'ape']) {
      const { ids } = segmenter.split(model === 'unigram' ? `▁${word}` : word);
      const expected = (await pieces(tokenizer, word)).slice(1, -1);
      const unknown = tokenizer.specialTokens.get('unk_token');
      expect(ids.map((id) => (id === undefined ? unknown : tokenizer.idToToken(id)))).toEqual(expected);
    }
  });

  test('extended: shorter in the new language, the same where no new token occurs, old ids in place', async () => {
    const tokenizer = await train();
    const { tokenizer: extended, added, oldSize } = await extendVocabulary(tokenizer, greek, { tokens: 90 });
    expect(added.length).toBeGreaterThan(10);
    expect(added.length).toBeLessThanOrEqual(90);
    expect(oldSize).toBe(tokenizer.vocabularySize);
    expect(extended.vocabularySize).toBe(oldSize + added.length);
    for (const [index, { token }] of added.entries()) expect(extended.idToToken(oldSize + index)).toBe(token);
    for (let id = 0; id < oldSize; id++) expect(extended.idToToken(id)).toBe(tokenizer.idToToken(id));
    for (const text of [...english.slice(0, 5), ...german.slice(0, 5)])
      expect((await extended.encode(text)).ids).toEqual((await tokenizer.encode(text)).ids);
    const unknown = extended.specialTokens.get('unk_token');
    expect(await pieces(tokenizer, greek[0] as string)).toContain(unknown);
    expect(await pieces(extended, greek[0] as string)).not.toContain(unknown);
    // A word that was not in the texts, of their letters.
    expect(await pieces(extended, 'ποδι')).not.toContain(unknown);
  });

  test('new tokens for a language whose letters are known start from old ones', async () => {
    const tokenizer = await train();
    const texts = Array.from({ length: 40 }, (_, i) => `Den starra esen ${i} reste sen tanden`);
    const { tokenizer: extended, added } = await extendVocabulary(tokenizer, texts, { tokens: 12 });
    expect(
      added.every(({ from, ids }) => from !== 'random' && ids.every((id) => tokenizer.idToToken(id))),
    ).toBe(true);
    const length = async (given: Tokenizer) => (await given.encode(texts[0] as string)).ids.length;
    expect(await length(extended)).toBeLessThan(await length(tokenizer));
  });
});

test('texts that need nothing new, and vocabularies that cannot be changed, are refused', async () => {
  const pieces = await trainTokenizer(['a b'], { vocabularySize: 20, model: 'wordpiece' });
  await expect(extendVocabulary(pieces, ['a b a b'], { tokens: 5 })).rejects.toThrow(/nothing to add/);
  await expect(extendVocabulary(pieces, [' '], { tokens: 5 })).rejects.toThrow(/no text/);
  const bytePairs = await trainTokenizer(english, { vocabularySize: 120, model: 'bpe' });
  await expect(trimVocabulary(bytePairs, english)).rejects.toThrow(/"BPE"; only unigram .* and WordPiece/);
});
