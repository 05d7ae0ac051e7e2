/** SQuAD's layout, and what is translated from it. */
import { describe, expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import { openTrainingData } from './registry.js';
import { read, testFiles } from './test-support.js';

const { file, files, refusal } = testFiles();

describe('squad', () => {
  const squad = (context: string, ...questions: [string, string, boolean?][]) =>
    JSON.stringify({
      data: [
        {
          title: 't',
          paragraphs: [
            {
              context,
              qas: questions.map(([id, question, is_impossible]) => ({ id, question, is_impossible })),
            },
          ],
        },
      ],
    });

  test('files of several languages that share question ids are parallel, in whatever order they hold them', async () => {
    const path = await files({
      'xquad.en.json': squad('Text.', ['1', 'One?'], ['2', 'Two?'], ['3', 'None?', true]),
      'xquad.fi.json': squad('Teksti.', ['2', 'Kaksi?'], ['1', 'Yksi?']),
    });
    const set = await TrainingSet.read(openTrainingData({ format: 'squad', path }));
    expect(set.items).toHaveLength(2);
    expect(set.passages.map((text) => text.map((index) => set.rows[index]!.text))).toEqual([
      ['Text.', 'Teksti.'],
    ]);
    expect(set.queries.map((text) => text.length)).toEqual([2, 2]);
    expect(await read({ format: 'squad', path, langs: ['fi'] })).toHaveLength(2);
  });

  test('MLQA names tell both languages', async () => {
    const path = await files({ 'dev-context-de-question-en.json': squad('Text.', ['1', 'What?']) });
    const [pair] = await read({ format: 'squad', path });
    expect([pair!.query.lang, pair!.passage.lang]).toEqual(['en', 'de']);
  });

  test('a language that nobody tells, JSON that is none, a part that is missing', async () => {
    const path = await file('train-v1.1.json', squad('Text.', ['1', 'What?']));
    expect(await refusal({ format: 'squad', path })).toContain('the name tells no language');
    expect(await read({ format: 'squad', path, lang: 'en' })).toHaveLength(1);
    expect(
      await refusal({ format: 'squad', path: await file('en.json', '{"data":\n[{"a":\n ,]}\n\n') }),
    ).toMatch(/en\.json:3:2: not JSON/);
    expect(await refusal({ format: 'squad', path: await file('en.json', '{}') })).toContain(
      "no 'data' at the top",
    );
    const noContext = '{"data":[{"paragraphs":[{"qas":[{"id":"1","question":"q"}]}]}]}';
    expect(await refusal({ format: 'squad', path: await file('en.json', noContext) })).toContain(
      "en.json, data[0].paragraphs[0]: no 'context'",
    );
    expect(await refusal({ format: 'squad', path: await files({ 'a.txt': '' }) })).toContain('no .json file');
  });
});
