/**
 * The vocabulary inside a `tokenizer.json`: read as a list by id, and written with another list.
 * Unigram (XLM-R) and WordPiece (BERT, LaBSE). It splits no text.
 */
import { ModelError } from '../errors.js';
import { describe, isJsonObject, type JsonObject } from '../json.js';
import { jsonOf, type Tokenizer } from '../tokenizer.js';

/** Tokens by id, with what the two kinds of model know of them. */
export interface Vocabulary {
  readonly kind: 'unigram' | 'wordpiece';
  /** Token of each id; undefined where an id is not given. Added tokens are among them. */
  readonly tokens: readonly (string | undefined)[];
  /** Unigram: logarithm of the probability by id, for the tokens of the model itself. */
  readonly scores?: readonly (number | undefined)[];
  /** Ids of special and other added tokens. */
  readonly added: ReadonlySet<number>;
  readonly unknownId: number | undefined;
  /** WordPiece: what continues a word; empty for unigram. */
  readonly continuing: string;
}

const remedy = 'only unigram (XLM-R) and WordPiece (BERT, LaBSE) vocabularies can be changed';

/**
 * The vocabulary of a tokenizer.
 *
 * @throws ModelError `INPUT_TOKENIZER` for BPE and others
 */
export function vocabularyOf(tokenizer: Tokenizer): Vocabulary {
  const { model, added_tokens: addedTokens } = jsonOf(tokenizer);
  const tokens: (string | undefined)[] = [];
  const added = new Set<number>();
  for (const token of Array.isArray(addedTokens) ? addedTokens : []) {
    if (!isJsonObject(token) || typeof token.id !== 'number' || typeof token.content !== 'string') continue;
    tokens[token.id] = token.content;
    added.add(token.id);
  }
  if (isJsonObject(model) && model.type === 'Unigram' && Array.isArray(model.vocab)) {
    const scores: (number | undefined)[] = [];
    for (const [id, [token, score]] of (model.vocab as [string, number][]).entries()) {
      tokens[id] = token;
      scores[id] = score;
    }
    const unknownId = typeof model.unk_id === 'number' ? model.unk_id : undefined;
    return { kind: 'unigram', tokens, scores, added, unknownId, continuing: '' };
  }
  if (isJsonObject(model) && isWordPiece(model) && isJsonObject(model.vocab)) {
    for (const [token, id] of Object.entries(model.vocab)) tokens[id as number] = token;
    const unknownId = model.vocab[String(model.unk_token)] as number | undefined;
    return {
      kind: 'wordpiece',
      tokens,
      added,
      unknownId,
      continuing: String(model.continuing_subword_prefix),
    };
  }
  const type = isJsonObject(model) ? model.type : undefined;
  throw new ModelError(
    'INPUT_TOKENIZER',
    `${tokenizer.source}: a model of type ${describe(type)}; ${remedy}`,
  );
}

/** Old files of BERT's name no type. */
function isWordPiece(model: JsonObject): boolean {
  return model.type === 'WordPiece' || (model.type === undefined && 'continuing_subword_prefix' in model);
}

/** A token of a new vocabulary: an old one by its id, or a new one. */
export type NewToken = number | { readonly token: string; readonly score?: number };

/**
 * The files of a tokenizer with these tokens, ids being their places; everything that names an id is
 * changed along. Added tokens must be kept.
 */
export function withTokens(
  tokenizer: Tokenizer,
  vocabulary: Vocabulary,
  list: readonly NewToken[],
): { readonly tokenizer: string; readonly config?: JsonObject } {
  const newIds = new Map<number, number>();
  for (const [id, token] of list.entries()) if (typeof token === 'number') newIds.set(token, id);
  const idOf = (old: unknown) => newIds.get(old as number);
  const json = jsonOf(tokenizer);
  const old = json.model as JsonObject;
  const names = list.map((token) => (typeof token === 'number' ? vocabulary.tokens[token] : token.token));
  // An added token beyond the model's own vocabulary stays out of it.
  const own = (token: NewToken) =>
    typeof token !== 'number' ||
    (vocabulary.kind === 'unigram'
      ? vocabulary.scores?.[token] !== undefined
      : Object.hasOwn(old.vocab as object, vocabulary.tokens[token] ?? ''));
  const entries = list.flatMap((token, id) =>
    own(token) ? [[names[id] as string, id, token] as const] : [],
  );
  const vocab =
    vocabulary.kind === 'unigram'
      ? entries.map(([name, , token]) => [
          name,
          typeof token === 'number' ? vocabulary.scores?.[token] : (token.score ?? 0),
        ])
      : Object.fromEntries(entries.map(([name, id]) => [name, id]));
  const model = {
    ...old,
    vocab,
    ...(vocabulary.kind === 'unigram' ? { unk_id: idOf(old.unk_id) ?? null } : {}),
  };
  const added = (json.added_tokens as JsonObject[] | undefined)?.map((token) => ({
    ...token,
    id: idOf(token.id),
  }));
  const result = {
    ...json,
    truncation: null,
    padding: null,
    ...(added ? { added_tokens: added.sort((a, b) => (a.id as number) - (b.id as number)) } : {}),
    post_processor: renumber(json.post_processor, idOf),
    model,
  };
  const { config } = tokenizer.files;
  const decoder = config?.added_tokens_decoder;
  const decoders = isJsonObject(decoder)
    ? Object.fromEntries(
        Object.entries(decoder).flatMap(([id, token]) => {
          const changed = idOf(Number(id));
          return changed === undefined ? [] : [[String(changed), token]];
        }),
      )
    : undefined;
  return {
    tokenizer: `${JSON.stringify(result)}\n`,
    ...(config ? { config: decoders ? { ...config, added_tokens_decoder: decoders } : config } : {}),
  };
}

/** A post-processor with other ids: of templates, and of the older `BertProcessing` and `RobertaProcessing`. */
function renumber(processor: unknown, idOf: (old: unknown) => number | undefined): unknown {
  if (!isJsonObject(processor)) return processor ?? null;
  const changed: Record<string, unknown> = { ...processor };
  for (const key of ['sep', 'cls']) {
    const pair = processor[key];
    if (Array.isArray(pair)) changed[key] = [pair[0], idOf(pair[1])];
  }
  if (isJsonObject(processor.special_tokens)) {
    changed.special_tokens = Object.fromEntries(
      Object.entries(processor.special_tokens).map(([name, token]) => [
        name,
        { ...(token as object), ids: (token as { ids: number[] }).ids.map(idOf) },
      ]),
    );
  }
  if (Array.isArray(processor.processors))
    changed.processors = processor.processors.map((inner) => renumber(inner, idOf));
  return changed;
}
