/**
 * Embeddings of a teacher, computed once and stored: a folder with `embeddings.npy` [rows, dimension],
 * `keys.txt` (which row belongs to which text) and `teacher.json` (what made them).
 *
 * A text is named by its data set and parallel id, so that its versions in all languages find the embedding
 * of the version that the teacher has read. `synglot distill-teacher` runs the teacher itself.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row, TextKind, TrainingSet } from '@synglot/data';
import { makeFolders, readNpy, writeFileAtomic, writeNpy } from '@synglot/models';
import { TrainError } from './errors.js';
import type { TeacherVectors } from './objective-teacher.js';

const keysFile = 'keys.txt';
const remedy = 'make it with: synglot distill-teacher CONFIG --teacher MODEL --output FOLDER';

/** What a teacher is asked to embed. */
export interface TeacherText {
  readonly key: string;
  readonly kind: TextKind;
  readonly text: string;
}

/** How stored embeddings were made. */
export interface TeacherInfo {
  readonly model: string;
  /** Language of the texts that were embedded. */
  readonly lang: string;
  readonly query_prefix: string;
  readonly passage_prefix: string;
}

/** Names a text in every language. */
export function teacherKey(kind: TextKind, row: Pick<Row, 'dataset' | 'parallelId'>): string {
  return JSON.stringify([kind, row.dataset, row.parallelId]);
}

/** The texts of a data set in one language, each once, in a fixed order. */
export function teacherTexts(set: TrainingSet, lang: string): TeacherText[] {
  const texts = new Map<string, TeacherText>();
  const language = set.languages.indexOf(lang);
  const add = (kind: TextKind, parallel: readonly number[]) => {
    const [index] = language < 0 ? [] : set.rowsIn(parallel, language);
    if (index === undefined) return;
    const row = set.rows[index] as Row;
    const key = teacherKey(kind, row);
    if (!texts.has(key)) texts.set(key, { key, kind, text: row.text });
  };
  for (const query of set.queries) add('query', query);
  // Those that answer nothing too: they may be mined.
  for (const passage of set.passages) add('passage', passage);
  return [...texts.values()];
}

/** Writes embeddings; row i of `vectors` is that of `texts[i]`. */
export async function writeTeacher(
  folder: string,
  info: TeacherInfo,
  texts: readonly TeacherText[],
  vectors: Float32Array,
): Promise<void> {
  await makeFolders(folder);
  const dimension = vectors.length / texts.length;
  const write = (name: string, text: string) =>
    writeFileAtomic(join(folder, name), (file) => file.writeFile(text));
  await write(keysFile, texts.map(({ key }) => `${key}\n`).join(''));
  await write('teacher.json', `${JSON.stringify({ ...info, dimension }, null, 2)}\n`);
  // Last: a folder without it is incomplete.
  await writeNpy(join(folder, 'embeddings.npy'), texts.length, dimension, [vectors]);
}

/**
 * Checks that a folder has stored embeddings, without reading them.
 *
 * @param key of the configuration, for messages
 * @throws TrainError `INPUT_CONFIG`
 */
export async function checkTeacher(folder: string, key: string): Promise<void> {
  await stat(join(folder, keysFile)).catch(refuse(folder, key));
}

function refuse(folder: string, key: string): (error: NodeJS.ErrnoException) => never {
  return ({ code, message }) => {
    const reason = code === 'ENOENT' ? "no stored teacher's embeddings there" : message;
    throw new TrainError('INPUT_CONFIG', `${key}: ${folder}: ${reason}; ${remedy}`);
  };
}

/** Stored embeddings in memory. */
export class Teacher implements TeacherVectors {
  readonly #rows: ReadonlyMap<string, number>;
  readonly #vectors: Float32Array;

  constructor(
    readonly folder: string,
    readonly dimension: number,
    keys: readonly string[],
    vectors: Float32Array,
  ) {
    this.#rows = new Map(keys.map((key, row) => [key, row]));
    this.#vectors = vectors;
  }

  /**
   * Reads a folder.
   *
   * @param key of the configuration, for messages
   * @throws TrainError `INPUT_CONFIG` if it is not what `writeTeacher` wrote
   */
  static async open(folder: string, key: string): Promise<Teacher> {
    const text = await readFile(join(folder, keysFile), 'utf8').catch(refuse(folder, key));
    const keys = text.split('\n').filter(Boolean);
    const { rows, columns, data } = await readNpy(join(folder, 'embeddings.npy'));
    if (rows !== keys.length) {
      throw new TrainError(
        'INPUT_CONFIG',
        `${key}: ${folder}: ${keys.length} keys for ${rows} embeddings; ${remedy}`,
      );
    }
    return new Teacher(folder, columns, keys, data);
  }

  /** The embedding of a text, in whichever language the row is, or undefined. */
  vector(kind: TextKind, row: Row): Float32Array | undefined {
    const index = this.#rows.get(teacherKey(kind, row));
    if (index === undefined) return undefined;
    return this.#vectors.subarray(index * this.dimension, (index + 1) * this.dimension);
  }

  /** How many of a data set's questions and passages have an embedding. */
  coverage(set: TrainingSet): { readonly found: number; readonly total: number } {
    const first = (kind: TextKind, parallel: readonly number[]) =>
      this.vector(kind, set.rows[parallel[0] as number] as Row) ? 1 : 0;
    const sides = [
      set.queries.map((parallel) => first('query', parallel)),
      set.passages.map((parallel) => first('passage', parallel)),
    ].flat();
    return { found: sides.reduce<number>((sum, one) => sum + one, 0), total: sides.length };
  }
}
