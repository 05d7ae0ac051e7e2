/**
 * A teacher's scores of the passages of a row, such as a cross-encoder's, as margins. Not the texts, which the
 * readers take; a reader looks here only where it is asked for scores.
 */
import { DataError } from '../errors.js';
import { type Fields, kindOf } from './json.js';

/** Options of the readers of files that may hold scores. */
export interface ScoredOptions {
  /**
   * Reads a teacher's scores, which every row with negatives must then have. Default false: what a file says of
   * scores is not looked at.
   */
  readonly scores?: boolean;
}

/** Fields that hold scores or margins: a number, a list, or in a TSV file a number as text. */
export const scoreFields = ['scores', 'score', 'margins', 'margin', 'labels', 'label'] as const;

/**
 * The margins of a row: by how much its passage scores higher than each negative.
 *
 * One number more than negatives are scores, the passage's first; as many as negatives are margins, as
 * sentence-transformers' MarginMSELoss takes its labels. They stand in `columns`, else in the first of
 * {@link scoreFields} that is there, else in `positive_score` and `negative_score` or `negative_scores`.
 *
 * @param negatives how many the row has
 * @throws DataError `INPUT_COLUMN` with the place where there are none, too few, too many, or no numbers
 */
export function marginsOf(
  fields: Fields,
  negatives: number,
  columns: readonly string[] = fieldsThere(fields),
): number[] {
  if (columns.length === 0) {
    throw new DataError(
      'INPUT_COLUMN',
      `${fields.where}: the row has negatives but no scores; add 'scores' (the passage's, then one a negative) or 'margins' (one a negative), or leave the row out`,
    );
  }
  const values = columns.flatMap((name) => numbersIn(fields, name));
  // 'scores' one short are no margins: a score was forgotten. The other names may hold either.
  const only = columns.length === 1 ? columns[0] : undefined;
  if (values.length === negatives && only !== 'scores') return values;
  const [passage, ...others] = values;
  if (passage === undefined || others.length !== negatives) {
    const margins = only === 'scores' ? '' : ` or ${negatives} margins`;
    throw new DataError(
      'INPUT_COLUMN',
      `${fields.where}: expected ${negatives + 1} scores (the passage's, then one a negative)${margins} in ${columns.map((name) => `'${name}'`).join(', ')} but received ${values.length}`,
    );
  }
  return others.map((score) => passage - score);
}

/** The fields of a row that hold scores; none where it has none. */
function fieldsThere({ values, where }: Fields): string[] {
  const there = (name: string) => values[name] !== undefined && values[name] !== null && values[name] !== '';
  const one = scoreFields.find(there);
  if (one !== undefined) return [one];
  if (!there('positive_score')) return [];
  const others = ['negative_scores', 'negative_score'].find(there);
  if (others !== undefined) return ['positive_score', others];
  throw new DataError(
    'INPUT_COLUMN',
    `${where}: 'positive_score' without 'negative_scores'; add them, one a negative, or leave the row out`,
  );
}

/** The number or numbers of a field. @throws DataError `INPUT_COLUMN` for what is no finite number */
export function numbersIn({ values, where }: Fields, field: string): number[] {
  const value = values[field];
  // Parquet may hold typed arrays.
  const list: readonly unknown[] = ArrayBuffer.isView(value)
    ? [...(value as Float64Array)]
    : Array.isArray(value)
      ? value
      : [value];
  return list.map((entry, i) => {
    const isText = typeof entry === 'string' && entry.trim() !== '';
    const number = isText || typeof entry === 'bigint' ? Number(entry) : entry;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    const name = list.length === 1 && !Array.isArray(value) ? field : `${field}[${i}]`;
    throw new DataError(
      'INPUT_COLUMN',
      `${where}: expected a finite number in '${name}' but received ${kindOf(entry)}; correct it or leave the row out`,
    );
  });
}
