/**
 * How a model's folder wants its embeddings to be used for retrieval: what stands before questions and passages, and
 * what their score is. It runs no model.
 */
import type { CheckpointContents } from './checkpoint-files.js';
import { ModelError } from './errors.js';

/** What questions and passages need before the dot product of their embeddings is the score. */
export interface RetrievalUse {
  /** Stands before every question. */
  readonly query: string;
  /** Stands before every passage. */
  readonly passage: string;
  /** Embeddings must be scaled to length 1: the score is the cosine, and the model does not normalise. */
  readonly normalize: boolean;
}

/** What sentence-transformers' `encode` puts before texts that are declared neither questions nor passages. */
export function defaultPrompt({
  prompts,
  defaultPromptName = '',
}: Pick<CheckpointContents, 'defaultPromptName' | 'prompts'>): string {
  return prompts?.[defaultPromptName] ?? '';
}

/** Names of the prompt of passages, as `encode_document` of sentence-transformers tries them. */
const passagePrompts = ['document', 'passage', 'corpus'];

/**
 * As sentence-transformers' `encode_query`, `encode_document` and `similarity` use the folder; of several prompts for
 * passages the first that is not empty, since that library writes an empty `document` beside what it read.
 *
 * @throws ModelError `INPUT_CHECKPOINT` for a similarity that is neither the cosine nor the dot product
 */
export function retrievalUse(
  model: Pick<CheckpointContents, 'prompts' | 'similarity' | 'pooling'>,
  name = 'the model',
): RetrievalUse {
  const { prompts = {}, similarity = 'cosine', pooling } = model;
  // For unit vectors all similarities rank alike.
  if (!pooling.normalize && similarity !== 'cosine' && similarity !== 'dot') {
    throw new ModelError(
      'INPUT_CHECKPOINT',
      `${name}: similarity_fn_name "${similarity}" of embeddings that are not normalised is not supported, expected "cosine" or "dot"; choose another checkpoint`,
    );
  }
  return {
    query: prompts.query ?? '',
    passage: passagePrompts.map((key) => prompts[key]).find(Boolean) ?? '',
    normalize: !pooling.normalize && similarity === 'cosine',
  };
}
