/**
 * Embeddings for the 2-D map: an `.npy` beside its `.langs.txt`, or the `embeddings` section of a JSON file
 * (format: docs/report.md). Reduces them to a sample in the plane; the vectors themselves are not kept.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readNpy } from '@synglot/models';
import { z } from 'zod';
import { ReportError } from '../errors.js';
import type { EmbeddingMapModel } from '../model.js';
import { principalPlane } from '../pca.js';
import { checked, readLines } from './text-file.js';

/** More points than this cover each other. */
const mostPoints = 3000;

const row = z.array(z.number());
const section = z
  .object({
    langs: z.array(z.string()).optional(),
    langs_file: z.string().optional(),
    texts: z.array(z.string()).optional(),
    texts_file: z.string().optional(),
    /** Already in the plane. */
    points: z.array(z.tuple([z.number(), z.number()])).optional(),
    /** One row per text, all of one length. */
    vectors: z.array(row).optional(),
    /** An .npy file, relative to the JSON file. */
    file: z.string().optional(),
  })
  .refine(
    ({ points, vectors, file }) =>
      [points, vectors, file].filter((given) => given !== undefined).length === 1,
    { message: 'expected one of points, vectors and file' },
  );

/** Names of the files that go with `name.npy`. */
export function besideNpy(path: string): { langs: string; texts: string } {
  const stem = path.replace(/\.npy$/i, '');
  return { langs: `${stem}.langs.txt`, texts: `${stem}.texts.txt` };
}

/** The map of `name.npy` with `name.langs.txt` (one language per line) and perhaps `name.texts.txt`. */
export async function readNpyMap(path: string, label: string): Promise<EmbeddingMapModel> {
  const { langs, texts } = besideNpy(path);
  const { data, rows, columns } = await readNpy(path);
  if (!existsSync(langs)) {
    throw new ReportError(
      'INPUT_EMBEDDINGS',
      `${path}: its languages are missing: write ${langs} with ${rows} lines, the language of each row`,
    );
  }
  return inThePlane(
    { file: path, label, langs: await readLines(langs), langsFile: langs },
    { data, rows, columns },
    existsSync(texts) ? await readLines(texts) : undefined,
  );
}

/** The map of the `embeddings` section of a JSON file. */
export async function readSection(json: unknown, file: string, label: string): Promise<EmbeddingMapModel> {
  const given = checked(z.object({ embeddings: section }), { embeddings: json }, file).embeddings;
  const beside = (name: string) => join(dirname(file), name);
  const langs = given.langs ?? (given.langs_file ? await readLines(beside(given.langs_file)) : undefined);
  if (!langs) {
    throw new ReportError(
      'INPUT_EMBEDDINGS',
      `${file}: 'embeddings' has no languages; add langs or langs_file`,
    );
  }
  const texts = given.texts ?? (given.texts_file ? await readLines(beside(given.texts_file)) : undefined);
  const from = { file, label, langs, langsFile: given.langs_file ?? 'embeddings.langs' };
  if (given.points) return inThePlane(from, given.points, texts);
  if (given.file) return inThePlane(from, await readNpy(beside(given.file)), texts);
  const vectors = given.vectors!;
  const columns = vectors[0]?.length ?? 0;
  const uneven = vectors.findIndex((vector) => vector.length !== columns);
  if (uneven >= 0) {
    throw new ReportError(
      'INPUT_EMBEDDINGS',
      `${file}: embeddings.vectors[${uneven}] has ${vectors[uneven]!.length} numbers, expected ${columns} as in the first`,
    );
  }
  return inThePlane(from, { data: Float64Array.from(vectors.flat()), rows: vectors.length, columns }, texts);
}

interface From {
  readonly file: string;
  readonly label: string;
  readonly langs: readonly string[];
  readonly langsFile: string;
}

interface Vectors {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

function inThePlane(
  { file, label, langs, langsFile }: From,
  given: readonly (readonly [number, number])[] | Vectors,
  texts?: readonly string[],
): EmbeddingMapModel {
  const rows = 'rows' in given ? given.rows : given.length;
  const misfit = (what: string, count: number) =>
    new ReportError('INPUT_EMBEDDINGS', `${file}: ${rows} rows but ${count} ${what}; give one for each row`);
  if (rows === 0) throw new ReportError('INPUT_EMBEDDINGS', `${file}: holds no embedding`);
  if (langs.length !== rows) throw misfit(`languages in ${langsFile}`, langs.length);
  if (texts && texts.length !== rows) throw misfit('texts', texts.length);

  const chosen = sample(langs, mostPoints);
  const names = [...new Set(chosen.map((index) => langs[index]!))].sort();
  let plane: { points: ArrayLike<number>; explained?: readonly [number, number] };
  if ('rows' in given) {
    const data = new Float64Array(chosen.length * given.columns);
    for (const [to, from] of chosen.entries())
      for (let column = 0; column < given.columns; column++) {
        const value = given.data[from * given.columns + column]!;
        if (!Number.isFinite(value)) {
          throw new ReportError(
            'INPUT_EMBEDDINGS',
            `${file}: row ${from}, column ${column} is ${value}; encode again`,
          );
        }
        data[to * given.columns + column] = value;
      }
    plane = principalPlane(data, chosen.length, given.columns);
  } else {
    plane = { points: chosen.flatMap((index) => given[index]!) };
  }
  const short = (value: number) => Number(value.toPrecision(5));
  return {
    label,
    langs: names,
    points: chosen.map((from, at) => [
      short(plane.points[at * 2]!),
      short(plane.points[at * 2 + 1]!),
      names.indexOf(langs[from]!),
    ]),
    ...(texts ? { texts: chosen.map((index) => clip(texts[index]!)) } : {}),
    total: rows,
    ...(plane.explained ? { explained: plane.explained } : {}),
  };
}

/** Indices, in order: all of them, or of each language the same share, evenly spread. */
export function sample(langs: readonly string[], most: number): number[] {
  if (langs.length <= most) return langs.map((_, index) => index);
  const byLang = new Map<string, number[]>();
  for (const [index, lang] of langs.entries()) {
    const indices = byLang.get(lang);
    if (indices) indices.push(index);
    else byLang.set(lang, [index]);
  }
  const chosen: number[] = [];
  for (const indices of byLang.values()) {
    const count = Math.max(1, Math.floor((indices.length * most) / langs.length));
    for (let i = 0; i < count; i++) chosen.push(indices[Math.floor((i * indices.length) / count)]!);
  }
  return chosen.sort((a, b) => a - b);
}

/** Enough of a text to know it by. */
function clip(text: string): string {
  const letters = Array.from(text);
  return letters.length > 160 ? `${letters.slice(0, 159).join('')}…` : text;
}
