/**
 * Makes training pairs from texts without questions, for a domain that has nothing else. Two tasks:
 *
 * - `dropout-views`: a text is its own positive; the two embeddings differ by dropout alone (SimCSE, Gao et al.
 *   2021, arXiv 2104.08821).
 * - `inverse-cloze`: a sentence is the question and the rest of its text the passage; with probability `keep`
 *   the sentence stays in the passage, so that matching words is learnt too (Lee et al. 2019, arXiv 1906.00300).
 *
 * Which sentence becomes the question, and whether it stays, depends on the seed and the text alone.
 */
import { DataError } from '../errors.js';
import { hashNormalisedText } from '../hash.js';
import { Random } from '../random.js';
import type { Pair, Row } from '../rows.js';
import { asText, type Fields, missingField, optionalText, readJsonLines } from './json.js';
import { readLines } from './lines.js';
import { languagesOf, nameOf, type ReadOptions, textId } from './options.js';
import { type Paths, readShards } from './shards.js';

/** Options of {@link readRawText}. */
export interface RawTextOptions extends ReadOptions {
  /** Language of the texts, where the rows name none. */
  readonly lang?: string;
  /** What a text is made into. Default `dropout-views`. */
  readonly task?: 'dropout-views' | 'inverse-cloze';
  /** For `inverse-cloze`: the chance that the sentence stays in its passage. Default 0.1. */
  readonly keep?: number;
  /** For `inverse-cloze`: sentences of fewer words are no questions. Default 4. */
  readonly words?: number;
  /** For `inverse-cloze`: any safe integer. Default 0. */
  readonly seed?: number;
}

/**
 * Reads a `.txt` file with one text per line, or a `.jsonl` file with `text` (or `contents`) and optional `title`,
 * `_id` (or `id`, `docid`), `lang` and `domain`, such as BEIR's `corpus.jsonl`; either may end in `.gz`. Empty
 * texts are skipped, and so are texts of one sentence if the task is `inverse-cloze`.
 *
 * @throws DataError with file and line; `INPUT_EMPTY` where no text makes a pair
 */
export function readRawText(paths: Paths, options: RawTextOptions = {}): AsyncGenerator<Pair> {
  return readShards(paths, options, pairsOf);
}

async function* pairsOf(file: string, options: RawTextOptions): AsyncGenerator<Pair> {
  const { task = 'dropout-views', keep = 0.1, words = 4, seed = 0 } = options;
  if (task !== 'dropout-views' && task !== 'inverse-cloze') {
    throw new DataError(
      'INPUT_OPTION',
      `${file}: \`task\`: expected dropout-views or inverse-cloze but received '${task as string}'`,
    );
  }
  if (!(keep >= 0 && keep <= 1)) {
    throw new DataError(
      'INPUT_OPTION',
      `${file}: \`keep\`: expected a number from 0 to 1 but received ${keep}`,
    );
  }
  let texts = 0;
  let pairs = 0;
  for await (const { title, text, ...common } of rawTexts(file, options)) {
    texts++;
    const row = (of: string): Row => ({ ...common, text: of, parallelId: textId(of) });
    const whole = title === undefined ? text : `${title} ${text}`;
    if (task === 'dropout-views') {
      yield { query: row(whole), passage: row(whole), negatives: [] };
      pairs++;
      continue;
    }
    const random = new Random(seed, hashNormalisedText(whole));
    const cloze = inverseCloze(text, common.lang, { keep, words, random });
    if (cloze === undefined) continue;
    const passage = title === undefined ? cloze.passage : `${title} ${cloze.passage}`;
    // The passage is known by its whole text: the same text read twice is one passage.
    yield {
      query: row(cloze.query),
      passage: { ...row(passage), parallelId: textId(whole) },
      negatives: [],
    };
    pairs++;
  }
  if (texts > 0 && pairs === 0) {
    throw new DataError(
      'INPUT_EMPTY',
      `${file}: none of ${texts} texts has two sentences, one of them of ${words} words, as inverse-cloze needs; use dropout-views, or join the lines of a text`,
    );
  }
}

interface RawText extends Omit<Row, 'text' | 'parallelId'> {
  readonly title: string | undefined;
  readonly text: string;
}

async function* rawTexts(file: string, options: RawTextOptions): AsyncGenerator<RawText> {
  const name = nameOf(file);
  const dataset = options.dataset ?? name;
  const about = (where: string, lang?: string, domain?: string) => {
    return {
      lang: languagesOf(options, { lang }, where).passage,
      dataset,
      domain: domain ?? options.domain ?? dataset,
    };
  };
  if (/\.txt(\.gz)?$/.test(file)) {
    for await (const { text, number, where } of readLines(file)) {
      if (text.trim() !== '') yield { id: `${name}:${number}`, title: undefined, text, ...about(where) };
    }
    return;
  }
  if (!/\.(jsonl|ndjson)(\.gz)?$/.test(file)) {
    throw new DataError(
      'INPUT_FILE',
      `${file}: expected a name ending in .txt or .jsonl (with or without .gz)`,
    );
  }
  for await (const fields of readJsonLines(file)) {
    const text = rawText(fields);
    if (text.trim() === '') continue;
    const id = optionalText(fields, '_id') ?? optionalText(fields, 'id') ?? optionalText(fields, 'docid');
    yield {
      id: id ?? `${name}:${fields.number}`,
      title: optionalText(fields, 'title')?.trim() || undefined,
      text,
      ...about(fields.where, optionalText(fields, 'lang'), optionalText(fields, 'domain')),
    };
  }
}

/** The text of a document. It may be empty, as some of BEIR's are, but the field must be there. */
function rawText(fields: Fields): string {
  const value = fields.values.text ?? fields.values.contents;
  if (value === undefined || value === null) throw missingField(fields, 'text');
  return typeof value === 'string' && value.trim() === '' ? '' : asText(value, fields.where, 'text');
}

/** One sentence of a text and the rest, or undefined where there are not two sentences. */
function inverseCloze(
  text: string,
  lang: string,
  { keep, words, random }: { keep: number; words: number; random: Random },
): { query: string; passage: string } | undefined {
  const sentences = Array.from(
    new Intl.Segmenter(lang, { granularity: 'sentence' }).segment(text),
    ({ segment }) => segment,
  ).filter((sentence) => sentence.trim() !== '');
  if (sentences.length < 2) return undefined;
  const long = [...sentences.keys()].filter((index) => wordsIn(sentences[index]!, lang) >= words);
  if (long.length === 0) return undefined;
  const asked = long[random.below(long.length)]!;
  const stays = random.float() < keep;
  const passage = sentences.filter((_, index) => stays || index !== asked).join('');
  return { query: sentences[asked]!.trim(), passage: passage.trim() };
}

function wordsIn(sentence: string, lang: string): number {
  let count = 0;
  for (const { isWordLike } of new Intl.Segmenter(lang, { granularity: 'word' }).segment(sentence))
    if (isWordLike) count++;
  return count;
}
