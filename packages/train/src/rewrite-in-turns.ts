/**
 * Rewrites a batch a few pairs at a time, so that the event loop gets its turn in between: cutting a whole batch into
 * words takes longer than everything else that the JavaScript thread does for it.
 */
import { setImmediate } from 'node:timers/promises';
import type { BatchRewrite, BatchToRewrite, RewrittenTexts } from '@synglot/data';

/**
 * Returns the same texts as `rewrite`.
 *
 * @param rewrite must treat each pair on its own, as code-switching does
 * @param size pairs at a time
 */
export function inTurns(rewrite: (batch: BatchToRewrite) => RewrittenTexts, size = 16): BatchRewrite {
  return async ({ index, pairs }) => {
    const queries: string[] = [];
    const positives: string[] = [];
    const negatives: string[] = [];
    const metrics: Record<string, number> = {};
    for (let begin = 0; begin < pairs.length; begin += size) {
      if (begin > 0) await setImmediate();
      const some = pairs.slice(begin, begin + size);
      const rewritten = rewrite({ index, pairs: some });
      queries.push(...rewritten.queries);
      positives.push(...rewritten.passages.slice(0, some.length));
      negatives.push(...rewritten.passages.slice(some.length));
      for (const [name, count] of Object.entries(rewritten.metrics)) {
        metrics[name] = (metrics[name] ?? 0) + count;
      }
    }
    return { queries, passages: [...positives, ...negatives], metrics };
  };
}
