/** Users' mistakes in code-switching, mining and domains: exit 2 and one line that names the remedy. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace('data-methods');
});
afterAll(() => place.remove());

const inPlace = (...parts: string[]) => join(place.path, ...parts);

async function expectTrainMistake(
  name: string,
  changes: Readonly<Record<string, string | null>>,
  texts: readonly (string | RegExp)[],
): Promise<void> {
  const config = await writeConfig(place, name, changes);
  await expectMistake(['train', config, '--output', inPlace(`run-${name}`)], texts);
}

describe('code-switching', () => {
  it('a lexicon without a language of the data', async () => {
    await writeFile(inPlace('sv-en.txt'), 'hus house\n');
    await expectTrainMistake('lexicon', { code_switching: `{ lexicons: [${inPlace('sv-en.txt')}] }` }, [
      'code_switching: ',
      "sv-en.txt: the words are in a language of no text: unknown language 'sv'",
      'the data have de, en, fi',
    ]);
  });

  it('a lexicon with a line that is none', async () => {
    await writeFile(inPlace('en-de.txt'), 'house Haus\nold\n');
    await expectTrainMistake('lexicon-line', { code_switching: `{ lexicons: [${inPlace('en-de.txt')}] }` }, [
      /en-de\.txt:2: expected a word and a translation/,
    ]);
  });

  it('a lexicon that is missing', () =>
    expectTrainMistake('no-lexicon', { code_switching: '{ lexicons: [en-fi.txt] }' }, [
      'en-fi.txt: there is no such file',
    ]));

  it('a misspelt key', () =>
    expectTrainMistake('lexicon-key', { code_switching: '{ lexicon: [en-fi.txt] }' }, ["'code_switching"]));
});
