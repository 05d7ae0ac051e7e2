/** Evaluates one trained model of a sweep, and keeps what paired tests need. */
import type { ParallelCollection } from '@synglot/data';
import { DeviceScorer, evaluateRetrieval, type ProfileName, type RetrievalReport } from '@synglot/eval';
import type { Executor } from '@synglot/gpu';
import { EmbeddingModel, openCheckpoint, retrievalUse } from '@synglot/models';
import type { TrainConfig } from '@synglot/train';

/** The whole report of a model, per-query values of the profile's mAP and rank distance included. */
export async function evaluateModel(
  executor: Executor,
  folder: string,
  collection: ParallelCollection,
  { text }: TrainConfig,
): Promise<RetrievalReport> {
  const checkpoint = await openCheckpoint(folder);
  const { query, passage, normalize } = retrievalUse(checkpoint, folder);
  const model = await EmbeddingModel.load(executor, checkpoint);
  const scorer = new DeviceScorer(executor);
  try {
    const embed = (items: readonly { readonly text: string }[], prefix: string, longest: number) =>
      model.embed(
        items.map((item) => item.text),
        { prefix, normalize, maxLength: Math.min(longest, checkpoint.maxLength) },
      );
    const profile: ProfileName = collection.name === 'lareqa' ? 'lareqa' : 'trec_eval';
    return await evaluateRetrieval({
      collection,
      queryEmbeddings: await embed(collection.queries, query, text.query_max_length),
      candidateEmbeddings: await embed(collection.candidates, passage, text.passage_max_length),
      dimension: model.dimension,
      scorer,
      profile,
      perQuery: true,
    });
  } finally {
    scorer.destroy();
    await model.destroy();
  }
}
