/**
 * Mewsli-X (XTREME-R, arXiv 2104.07412): mentions of entities in news of 11 languages are the queries, one
 * description of each of a million entities, in any of 50 languages, the corpus. One collection; figures are
 * means over the query languages.
 */
import { type AdHocCollection, adHocCollection, titledText } from '../../ad-hoc.js';
import type { CollectionQuery } from '../../collection.js';
import { DataError } from '../../errors.js';
import { normaliseLanguage, selectLanguages } from '../../languages.js';
import { asList, asObject, optionalText, readJsonLines, requiredText } from '../json.js';
import { literal } from '../shards.js';
import { filesBelow, theOne } from './find.js';

/** Options of {@link readMewsliX}. */
export interface MewsliXOptions {
  /** Which mentions. Default `test`. */
  readonly split?: string;
  /** Languages of mentions; default all. */
  readonly langs?: readonly string[];
  /** Sentences of context on each side of those that hold the mention. Default 0. */
  readonly window?: number;
  /** Put around the mention; the paper's baseline has marker tokens of its own. Default none. */
  readonly marks?: readonly [string, string];
}

/**
 * Reads `candidate_set_entities.jsonl` and `wikinews_mentions-{split}.jsonl`. A query is the sentence that
 * holds the mention, a document an entity's title and description. Measure: RR@20, macro over languages.
 *
 * @throws DataError with the file that is missing or the line that is wrong; mentions whose text has not
 *   been filled in (`wikinews_mentions_no_text-…`) are refused
 */
export async function readMewsliX(folder: string, options: MewsliXOptions = {}): Promise<AdHocCollection> {
  const split = options.split ?? 'test';
  const files = await filesBelow(folder);
  const mentions = theOne(
    folder,
    files,
    [new RegExp(`(^|/)wikinews_mentions-${literal(split)}\\.jsonl$`)],
    `wikinews_mentions-${split}.jsonl (made by the publisher's get-mewsli-x.sh)`,
  );
  const entities = theOne(
    folder,
    files,
    [/(^|\/)candidate_set_entities\.jsonl$/],
    'candidate_set_entities.jsonl',
  );
  const queries: CollectionQuery[] = [];
  const judgments = new Map<string, Map<string, number>>();
  for await (const fields of readJsonLines(mentions)) {
    const context = asObject(fields.values.context, `${fields.where}: 'context'`);
    const lang = normaliseLanguage(requiredText({ ...fields, values: context }, 'language'));
    const text = optionalText({ ...fields, values: context }, 'text');
    if (text === undefined) {
      throw new DataError(
        'INPUT_EMPTY',
        `${fields.where}: 'context.text' is empty; fill it with get-mewsli-x.sh`,
      );
    }
    // Offsets count code points.
    const points = Array.from(text);
    const sentences = asList(context.sentence_spans ?? [], fields.where, 'context.sentence_spans').map(
      (span) => spanOf(span, fields.where),
    );
    for (const value of asList(fields.values.mentions, fields.where, 'mentions')) {
      const mention = { ...fields, values: asObject(value, `${fields.where}: 'mentions'`) };
      const id = requiredText(mention, 'example_id');
      const span = spanOf(mention.values.mention_span, fields.where);
      queries.push({ id, lang, text: around(points, sentences, span, options), where: fields.where });
      judgments.set(id, new Map([[requiredText(mention, 'entity_id'), 1]]));
    }
  }
  const wanted = new Set(
    selectLanguages(
      options.langs,
      queries.map(({ lang }) => lang),
      mentions,
    ),
  );
  return adHocCollection({
    name: `mewsli-x-${split}`,
    lang: undefined,
    queries: queries.filter(({ lang }) => wanted.has(lang)),
    judgments,
    corpus: async function* () {
      for await (const fields of readJsonLines(entities)) {
        const text = titledText(optionalText(fields, 'title'), requiredText(fields, 'description'));
        yield { id: requiredText(fields, 'entity_id'), text, where: fields.where };
      }
    },
    measures: ['RR@20'],
    profile: 'trec_eval',
    depth: 20,
  });
}

/**
 * Reads predictions as the benchmark's own scorer takes them: objects of lists of entity ids by example id,
 * best first, in one object or one per line.
 *
 * @throws DataError with file and line
 */
export async function readMewsliXPredictions(file: string): Promise<Map<string, readonly string[]>> {
  const predictions = new Map<string, readonly string[]>();
  for await (const fields of readJsonLines(file)) {
    for (const [example, ids] of Object.entries(fields.values)) {
      if (predictions.has(example)) {
        throw new DataError('INPUT_COLUMN', `${fields.where}: example '${example}' is predicted twice`);
      }
      const entities = asList(ids, fields.where, example).map(String);
      const seen = new Set<string>();
      const again = entities.find((entity) => seen.size === seen.add(entity).size);
      if (again !== undefined) {
        throw new DataError(
          'INPUT_COLUMN',
          `${fields.where}: entity '${again}' stands twice in the prediction of '${example}'; keep the first`,
        );
      }
      predictions.set(example, entities);
    }
  }
  return predictions;
}

type Span = readonly [number, number];

/** `{start, end}` or `[start, end]`. */
function spanOf(value: unknown, where: string): Span {
  const pair = Array.isArray(value)
    ? value
    : typeof value === 'object' && value !== null
      ? [(value as { start?: unknown }).start, (value as { end?: unknown }).end]
      : [];
  const [start, end] = pair as unknown[];
  if (Number.isInteger(start) && Number.isInteger(end) && (start as number) <= (end as number)) {
    return [start as number, end as number];
  }
  throw new DataError(
    'INPUT_COLUMN',
    `${where}: expected a span with 'start' and 'end' but received ${JSON.stringify(value)}`,
  );
}

function around(
  points: readonly string[],
  sentences: readonly Span[],
  [start, end]: Span,
  { window = 0, marks = ['', ''] }: MewsliXOptions,
): string {
  const first = sentences.findIndex(([, sentenceEnd]) => sentenceEnd > start);
  const last = sentences.findLastIndex(([sentenceStart]) => sentenceStart < end);
  const from = first < 0 ? 0 : sentences[Math.max(0, first - window)]![0];
  const to = last < 0 ? points.length : sentences[Math.min(sentences.length - 1, last + window)]![1];
  const cut = (a: number, b: number) => points.slice(a, b).join('');
  return `${cut(Math.min(from, start), start)}${marks[0]}${cut(start, end)}${marks[1]}${cut(end, Math.max(to, end))}`;
}
