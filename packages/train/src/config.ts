/** The configuration of a training run: a YAML file, checked by a schema. Keys are snake_case. */
import { readFile } from 'node:fs/promises';
import { didYouMean } from '@synglot/data';
import { readerOptions, readers } from '@synglot/data/files';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { TrainError } from './errors.js';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.number().int().min(1);
const languageWeighting = z.union([
  z.enum(['uniform', 'proportional']),
  z.strictObject({ smoothed: z.number().min(0) }),
]);
const sourceWeighting = z.union([
  z.literal('proportional'),
  z.strictObject({ smoothed: z.number().min(0) }),
  z.strictObject({ weights: z.record(z.string(), z.number().min(0)) }),
]);
const modeWeights = z.strictObject({
  monolingual: z.number().min(0).optional(),
  'cross-lingual': z.number().min(0).optional(),
  multilingual: z.number().min(0).optional(),
});
const scheduled = <T extends z.ZodType>(value: T) =>
  z.union([value, z.array(z.tuple([z.number().int().min(0), value]))]);

/** One source of training pairs; what else a format takes is passed to its reader. */
const dataSource = z
  .object({
    format: z.string(),
    path: z.string(),
    langs: z.array(z.string()).optional(),
    limit: count.optional(),
    dataset: z.string().optional(),
    domain: z.string().optional(),
  })
  .catchall(z.unknown());

const schema = z.strictObject({
  /** Folder or hub id of the checkpoint to start from. */
  model: z.string(),
  pooling: z.strictObject({ mode: z.enum(['cls', 'mean']), normalize: z.boolean().default(true) }).optional(),
  data: z.array(dataSource).min(1),
  sampling: z
    .strictObject({
      mode: z.enum(['monolingual', 'cross-lingual', 'multilingual', 'hybrid']).default('hybrid'),
      alpha: scheduled(fraction).optional(),
      mode_weights: scheduled(modeWeights).optional(),
      batch_size: count.default(32),
      languages: languageWeighting.default('uniform'),
      datasets: sourceWeighting.default('proportional'),
      domains: sourceWeighting.default('proportional'),
      homogeneous_dataset: z.boolean().default(false),
      language_pair: z.enum(['per-row', 'per-batch']).default('per-row'),
      only_pairs: z.array(z.tuple([z.string(), z.string()])).optional(),
      negatives: z.number().int().min(0).optional(),
      on_too_few: z.enum(['error', 'leave-out']).default('error'),
    })
    .prefault({}),
  text: z
    .strictObject({
      query_prefix: z.string().default(''),
      passage_prefix: z.string().default(''),
      query_max_length: count.default(64),
      passage_max_length: count.default(256),
    })
    .prefault({}),
  loss: z
    .strictObject({
      temperature: positive.default(0.05),
      direction: z.enum(['query-to-passage', 'passage-to-query', 'both']).default('query-to-passage'),
    })
    .prefault({}),
  optimizer: z
    .strictObject({
      name: z.enum(['adamw', 'sgd']).default('adamw'),
      learning_rate: positive.default(3e-5),
      weight_decay: z.number().min(0).default(0.01),
      betas: z.tuple([fraction, fraction]).default([0.9, 0.999]),
      epsilon: positive.default(1e-8),
      decay: z.enum(['all', 'matrices']).default('matrices'),
      max_gradient_norm: z.number().min(0).default(1),
    })
    .prefault({}),
  training: z
    .strictObject({
      steps: count,
      warmup: z.number().min(0).default(0.1),
      schedule: z.enum(['constant', 'linear', 'cosine']).default('linear'),
      accumulation: count.default(1),
      /** Token budget of a chunk; turns gradient caching on. */
      cache_tokens: count.optional(),
      seed: z.number().int().default(0),
      dropout: fraction.optional(),
    })
    .strict(),
  validation: z
    .strictObject({ fraction: fraction.default(0.02), every: count.default(100), batches: count.default(8) })
    .optional(),
  checkpoint: z.strictObject({ every: count.default(100), keep: count.default(2) }).prefault({}),
  output: z.string().optional(),
  device: z.string().optional(),
});

/** A checked configuration with every default filled in. */
export type TrainConfig = z.output<typeof schema>;
/** What a user writes. */
export type TrainConfigInput = z.input<typeof schema>;

/**
 * Reads and checks a configuration file.
 *
 * @throws TrainError `INPUT_CONFIG`, one line with file, line, what is wrong and the nearest right key
 */
export async function readConfig(path: string): Promise<TrainConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new TrainError('INPUT_CONFIG', `${path}: ${reason}; give a YAML file, see docs/training.md`);
  }
  return parseConfig(text, path);
}

/** As `readConfig`, from text; `source` names it in messages. */
export function parseConfig(text: string, source: string): TrainConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) {
    throw new TrainError(
      'INPUT_CONFIG',
      `${source}:${lines.linePos(syntax.pos[0]).line}: not YAML: ${syntax.message}`,
    );
  }
  const result = schema.safeParse(document.toJS() ?? {});
  const problem = result.success
    ? sourceProblem(result.data.data)
    : schemaProblem(result.error.issues[0] as z.core.$ZodIssue);
  if (result.success && !problem) return result.data;
  const { path, key, message } = problem as Problem;
  const line = lineOf(document, lines, path, key);
  throw new TrainError('INPUT_CONFIG', `${source}${line ? `:${line}` : ''}: ${message}`);
}

/** What is wrong with a configuration, and where: at a path, or at a key of the map there. */
interface Problem {
  readonly path: readonly PropertyKey[];
  readonly key?: string;
  readonly message: string;
}

function lineOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
  key: string | undefined,
): number | undefined {
  const line = (node: unknown) => {
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    return range ? lines.linePos(range[0]).line : undefined;
  };
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    const pair =
      key !== undefined && depth === path.length && isMap(node)
        ? node.items.find((item) => String(item.key) === key)
        : undefined;
    const found = line(pair?.key) ?? line(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A data source whose format, or an option of it, does not exist. */
function sourceProblem(sources: TrainConfig['data']): Problem | undefined {
  for (const [index, { format, path: _path, ...options }] of sources.entries()) {
    const path = ['data', index];
    if (!Object.hasOwn(readers, format)) {
      const names = Object.keys(readers);
      const message = `unknown data format '${format}'${didYouMean(format, names)}; there are ${names.join(', ')}`;
      return { path, key: 'format', message };
    }
    const known = readerOptions(format as keyof typeof readers).map(snakeCase);
    const key = Object.keys(options).find((name) => !known.includes(name));
    if (key === undefined) continue;
    const message = `unknown key '${key}' of format '${format}'${didYouMean(key, known)}; known here: ${known.join(', ')}`;
    return { path, key, message };
  }
  return undefined;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function schemaProblem(issue: z.core.$ZodIssue): Problem {
  const { path } = issue;
  const message = describe(issue);
  return issue.code === 'unrecognized_keys'
    ? { path, key: issue.keys[0] as string, message }
    : { path, message };
}

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] as string;
    const known = knownKeys(issue.path);
    const full = where ? `${where}.${key}` : key;
    return `unknown key '${full}'${didYouMean(key, known)}; known here: ${known.join(', ')}`;
  }
  if (issue.code === 'invalid_type' && issue.input === undefined)
    return `'${where}' is missing: expected ${issue.expected}`;
  return `'${where}': ${issue.message.replace(/^Invalid (input|option): /, '')}`;
}

/** Keys that the schema allows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const key of path) current = shapeOf(current)?.[String(key)];
  return Object.keys(shapeOf(current) ?? {});
}

/** The shape of an object schema inside optional, default and prefault wrappers. */
function shapeOf(type: unknown): Record<string, unknown> | undefined {
  let current = type as { shape?: Record<string, unknown>; def?: { innerType?: unknown } } | undefined;
  while (current && !current.shape) current = current.def?.innerType as typeof current;
  return current?.shape;
}
