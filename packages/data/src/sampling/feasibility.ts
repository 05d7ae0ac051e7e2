/**
 * Finds out, before the first step, whether every batch that options allow can be filled, and says what is
 * missing where it cannot.
 */
import { DataError } from '../errors.js';
import { unknownLanguage } from '../languages.js';
import { Random } from '../random.js';
import type { TrainingSet } from '../training-set.js';
import { capacityOf } from './fill.js';
import type { BatchMode, ResolvedOptions } from './options.js';
import type { Stratum } from './strata.js';
import { type BatchTree, buildTree, prune, type TreeNode } from './tree.js';

/**
 * The tree of a mode, without the branches that cannot fill a batch.
 *
 * @param leftOut takes what was cut off, with `onTooFew: 'leave-out'`
 * @throws DataError `INPUT_BATCH` where nothing is left or, with `onTooFew: 'error'`, a branch would go
 */
export function plantTree(
  mode: BatchMode,
  set: TrainingSet,
  strata: readonly Stratum[],
  options: ResolvedOptions,
  leftOut: Set<string>,
): BatchTree {
  const tree = buildTree(mode, set, strata, options);
  if (tree === null) throw impossible(mode, set);
  const { batchSize, onTooFew, seed } = options;
  const root = prune(tree.root, tree.fixedLevels, (node) => {
    const capacity = capacityOf(set, node, batchSize, new Random(seed));
    if (capacity >= batchSize) return true;
    if (onTooFew === 'error' || tree.fixedLevels === 0) throw tooFew(mode, node, batchSize, capacity);
    leftOut.add(`${node.label} (${capacity} items for ${mode} batches)`);
    return false;
  });
  if (root === null) {
    throw new DataError(
      'INPUT_BATCH',
      `no language or data set has the ${batchSize} distinct items that a ${mode} batch needs: use a smaller batch size`,
    );
  }
  return { ...tree, root };
}

/** @throws DataError `INPUT_LANGUAGE`, `INPUT_BATCH` where a pair of `onlyPairs` is unknown or empty */
export function checkPairs(set: TrainingSet, strata: readonly Stratum[], options: ResolvedOptions): void {
  const { languages } = set;
  for (const [x, y] of options.onlyPairs ?? []) {
    for (const code of [x, y]) {
      if (!languages.includes(code)) throw unknownLanguage(code, languages, '`onlyPairs`');
    }
    const found = strata.some(
      (one) => languages[one.queryLanguage] === x && languages[one.passageLanguage] === y,
    );
    if (!found) {
      throw new DataError(
        'INPUT_BATCH',
        `\`onlyPairs\`: the language pair '${x}' > '${y}' is empty: no question in '${x}' has a passage in '${y}'; give translations the same parallel_id and dataset, or leave the pair out`,
      );
    }
  }
}

/** The error for a branch from which a batch cannot be filled. */
export function tooFew(mode: BatchMode, node: TreeNode, wanted: number, capacity: number): DataError {
  const where = node.label === '' ? 'the whole set' : node.label;
  const leave =
    node.label === ''
      ? ''
      : " or leave it out, or set `onTooFew: 'leave-out'` to skip all that are too small";
  const pairs = `${node.size} pair${node.size === 1 ? '' : 's'}`;
  const items =
    capacity === node.size
      ? pairs
      : `${pairs} but only ${capacity} distinct item${capacity === 1 ? '' : 's'} (each question, passage and text counts once)`;
  // One pair has no negatives: a batch of 1 is no remedy.
  const smaller = capacity > 1 ? `use a batch size of at most ${capacity}, ` : '';
  return new DataError(
    'INPUT_BATCH',
    `a ${mode} batch of ${wanted} is larger than the data: ${where} has ${items}; ${smaller}give more data${leave}`,
  );
}

function impossible(mode: BatchMode, set: TrainingSet): DataError {
  const languages = [...set.languages].sort().join(', ');
  const problem = {
    monolingual: 'no question has a passage in its own language',
    'cross-lingual': 'no question has a passage in another language',
    multilingual: 'no question has a passage in the wanted languages',
  }[mode];
  const remedy =
    mode === 'cross-lingual'
      ? 'give translations the same parallel_id and dataset, add a second language, or use monolingual batches'
      : 'check `onlyPairs` and the weights, or use another mode';
  return new DataError(
    'INPUT_BATCH',
    `no ${mode} batch can be drawn: ${problem} (languages: ${languages}); ${remedy}`,
  );
}
