/**
 * Tatoeba's bitext test sets as LASER publishes them: `tatoeba.{xxx}-eng.{xxx}` and `tatoeba.{xxx}-eng.eng`,
 * line i of one being the translation of line i of the other. XTREME uses 36 of the 112 languages.
 */
import { join } from 'node:path';
import type { Bitext } from '../../ad-hoc.js';
import { DataError } from '../../errors.js';
import { normaliseLanguage, selectLanguages } from '../../languages.js';
import { listFolder, readLines } from '../lines.js';

/** The 36 languages of XTREME (arXiv 2003.11080), in the files' own codes. */
export const xtremeTatoebaLanguages: readonly string[] = (
  'ara heb vie ind jav tgl eus mal tam tel afr nld deu ell ben hin mar urd pes fra ita por spa bul rus jpn ' +
  'kat kor tha swh cmn kaz tur est fin hun'
).split(' ');

/**
 * The pairs with English of `langs` (the files' codes, three letters; default all).
 *
 * @throws DataError `INPUT_FILE` where the two sides differ in length or there is no such file
 */
export async function readTatoeba(
  folder: string,
  options: { readonly langs?: readonly string[] } = {},
): Promise<Bitext[]> {
  const known = (await listFolder(folder)).flatMap(
    (name) => /^tatoeba\.([a-z]{3})-eng\.eng$/.exec(name)?.[1] ?? [],
  );
  if (known.length === 0) {
    throw new DataError('INPUT_FILE', `${folder}: no file called like tatoeba.deu-eng.eng in it`);
  }
  const bitexts: Bitext[] = [];
  for (const lang of selectLanguages(options.langs, known, folder)) {
    const code = normaliseLanguage(lang);
    const name = `tatoeba.${lang}-eng`;
    const [foreign, english] = [
      await linesOf(join(folder, `${name}.${lang}`)),
      await linesOf(join(folder, `${name}.eng`)),
    ];
    if (foreign.length !== english.length) {
      throw new DataError(
        'INPUT_FILE',
        `${join(folder, name)}: ${foreign.length} lines in .${lang} but ${english.length} in .eng; the files do not belong together`,
      );
    }
    bitexts.push({ name: `tatoeba-${code}`, langs: [code, 'eng'], sentences: [foreign, english] });
  }
  return bitexts;
}

async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of readLines(file)) lines.push(text);
  return lines;
}
