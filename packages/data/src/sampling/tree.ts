/**
 * The tree from which the strata of a batch are drawn: languages, data set and domain, one level each, with
 * chances at every branch. Not the walk through a stratum; see `strata.ts`.
 */
import { DataError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import type { Random } from '../random.js';
import type { TrainingSet } from '../training-set.js';
import {
  type BatchMode,
  knots,
  type LanguageWeighting,
  type NamedWeights,
  type ResolvedOptions,
  type SourceWeighting,
} from './options.js';
import type { Stratum } from './strata.js';

/** A branch with its children, or a leaf with its stratum. */
export interface TreeNode {
  /** What the choices so far fix, for messages: `language 'fi'`, `data set 'faq', languages 'en' > 'fi'`. */
  readonly label: string;
  /** Items under this node. */
  readonly size: number;
  readonly children: readonly { readonly node: TreeNode; readonly weight: number }[];
  /** null at a branch. */
  readonly stratum: Stratum | null;
}

/** A tree and how many of its upper levels are drawn once for a whole batch. */
export interface BatchTree {
  readonly root: TreeNode;
  readonly fixedLevels: number;
}

interface Level {
  keyOf(stratum: Stratum): string;
  labelOf(stratum: Stratum): string;
  weightOf(key: string, size: number): number;
}

/**
 * The tree of one batch mode, or null where it has no stratum.
 *
 * Languages are drawn first, then the data set among those that have them, then the domain. With
 * `homogeneousDataset` the data set is drawn first, then languages among those that it has; with
 * `homogeneousDomain` the domain before all.
 *
 * @param options no weights that change over the steps: see `weights-over-steps.ts`
 */
export function buildTree(
  mode: BatchMode,
  set: TrainingSet,
  strata: readonly Stratum[],
  options: ResolvedOptions,
): BatchTree | null {
  const name = (language: number) => set.languages[language]!;
  const wanted = options.onlyPairs?.map((pair) => pair.join('>'));
  const own = strata.filter(({ queryLanguage: x, passageLanguage: y }) => {
    if (mode === 'monolingual') return x === y;
    if (mode === 'cross-lingual' && x === y) return false;
    return wanted === undefined || wanted.includes(`${name(x)}>${name(y)}`);
  });
  const languages: Level = {
    keyOf: ({ queryLanguage: x, passageLanguage: y }) => `${name(x)}>${name(y)}`,
    labelOf: ({ queryLanguage: x, passageLanguage: y }) =>
      mode === 'monolingual' ? `language '${name(x)}'` : `language pair '${name(x)}' > '${name(y)}'`,
    weightOf: (_, size) => languageWeight(options.languages, size),
  };
  const datasets: Level = {
    keyOf: (stratum) => set.datasets[stratum.dataset]!,
    labelOf: (stratum) => `data set '${set.datasets[stratum.dataset]}'`,
    weightOf: (key, size) => sourceWeight(options.datasets, key, size),
  };
  const domains: Level = {
    keyOf: (stratum) => set.domains[stratum.domain]!,
    labelOf: (stratum) => `domain '${set.domains[stratum.domain]}'`,
    weightOf: (key, size) => sourceWeight(options.domains, key, size),
  };
  const { homogeneousDataset, homogeneousDomain = false } = options;
  const first = [...(homogeneousDomain ? [domains] : []), ...(homogeneousDataset ? [datasets] : [])];
  const last = [...(homogeneousDataset ? [] : [datasets]), ...(homogeneousDomain ? [] : [domains])];
  const levels = [...first, languages, ...last];
  const fixedLanguages =
    mode === 'monolingual' || (mode === 'cross-lingual' && options.languagePair === 'per-batch');
  const fixedLevels = first.length + (fixedLanguages ? 1 : 0);
  const root = grow(own, levels, '');
  return root === null ? null : { root, fixedLevels };
}

/** @throws DataError `INPUT_OPTION` where given weights miss a name of the data or have one more */
export function checkWeightNames(option: string, weighting: SourceWeighting, names: readonly string[]): void {
  if (typeof weighting === 'string' || !('weights' in weighting)) return;
  for (const [, weights] of knots(`${option}.weights`, weighting.weights)) {
    for (const name of Object.keys(weights)) {
      if (!names.includes(name)) {
        const meant = didYouMean(name, names);
        throw new DataError(
          'INPUT_OPTION',
          `\`${option}.weights\`: nothing is called '${name}'${meant}; the data have ${names.join(', ')}`,
        );
      }
    }
    for (const name of names) {
      if (!Object.hasOwn(weights, name)) {
        throw new DataError(
          'INPUT_OPTION',
          `\`${option}.weights\`: '${name}' has no weight; give it one (0 leaves it out)`,
        );
      }
    }
  }
}

/**
 * Draws a child in proportion to the weights of those not in `exhausted`; null where all are.
 */
export function drawChild(node: TreeNode, random: Random, exhausted: ReadonlySet<TreeNode>): TreeNode | null {
  let total = 0;
  for (const child of node.children) if (!exhausted.has(child.node)) total += child.weight;
  if (total === 0) return null;
  let rest = random.float() * total;
  let last: TreeNode | null = null;
  for (const child of node.children) {
    if (exhausted.has(child.node)) continue;
    last = child.node;
    rest -= child.weight;
    if (rest < 0) break;
  }
  return last;
}

/** All strata under a node, those of heavier branches first. */
export function* strataUnder(node: TreeNode): Generator<Stratum> {
  if (node.stratum !== null) yield node.stratum;
  for (const child of [...node.children].sort((a, b) => b.weight - a.weight)) yield* strataUnder(child.node);
}

/** The same tree without the branches, `depth` levels down, that `keep` refuses; null where none is left. */
export function prune(node: TreeNode, depth: number, keep: (node: TreeNode) => boolean): TreeNode | null {
  if (depth === 0) return keep(node) ? node : null;
  const children = node.children.flatMap((child) => {
    const kept = prune(child.node, depth - 1, keep);
    return kept === null ? [] : [{ node: kept, weight: child.weight }];
  });
  return children.length === 0 ? null : { ...node, children };
}

function grow(strata: readonly Stratum[], levels: readonly Level[], label: string): TreeNode | null {
  const [stratum] = strata;
  if (stratum === undefined) return null;
  const [level, ...rest] = levels;
  if (level === undefined) return { label, size: stratum.size, children: [], stratum };
  const groups = new Map<string, Stratum[]>();
  for (const one of strata) {
    const key = level.keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  // By name, so that the order in which files were read changes no draw of a language.
  const children = [...groups.keys()].sort().flatMap((key) => {
    const group = groups.get(key)!;
    const own = level.labelOf(group[0]!);
    const node = grow(group, rest, label === '' ? own : `${label}, ${own}`);
    const weight = node === null ? 0 : level.weightOf(key, node.size);
    return node === null || weight === 0 ? [] : [{ node, weight }];
  });
  if (children.length === 0) return null;
  const size = children.reduce((sum, child) => sum + child.node.size, 0);
  return { label, size, children, stratum: null };
}

function languageWeight(weighting: LanguageWeighting, size: number): number {
  if (weighting === 'uniform') return 1;
  return weighting === 'proportional' ? size : size ** weighting.smoothed;
}

function sourceWeight(weighting: SourceWeighting, name: string, size: number): number {
  if (weighting === 'proportional') return size;
  if ('smoothed' in weighting) return size ** weighting.smoothed;
  return (weighting.weights as NamedWeights)[name] ?? 0;
}
