/** What the end-to-end tests share: folders, shared data, tiny models, devices, killed runs. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, saveCheckpoint, trainTokenizer } from '@synglot/models';
import { type EncoderConfig, encoderParameters, freshParameters, type PoolingConfig } from '@synglot/nn';
import { root, runCli } from '../support/cli.js';

/** A folder for the tests of a file; remove it with the function returned. */
export async function testFolder(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `synglot-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A file or folder of the shared data, or undefined with a line that says so; an error if it is required. */
export function sharedPath(path: string): string | undefined {
  const full = join(process.env.SYNGLOT_SHARED ?? join(root, '../shared'), path);
  if (existsSync(full)) return full;
  const line = `${full} is missing: its tests are skipped (set SYNGLOT_SHARED to the folder of shared data)`;
  if (process.env.REQUIRE_SHARED === '1') throw new Error(line);
  console.warn(line);
  return undefined;
}

export interface DeviceCase {
  readonly executor: 'native' | 'webgpu';
  readonly device: string;
  /** Why it is not usable here. */
  readonly missing?: string;
}

/** Whether each executor can use each software driver here, as `synglot devices` says. */
export async function deviceCases(): Promise<DeviceCase[]> {
  const cases: DeviceCase[] = [];
  for (const executor of ['native', 'webgpu'] as const) {
    const { code, stdout, errorLines } = await runCli(['devices', '--json', '--executor', executor], {
      env: { SYNGLOT_DEVICE: undefined, SYNGLOT_EXECUTOR: undefined },
    });
    const listed =
      code === 0 ? (JSON.parse(stdout) as { id: string; usable: boolean; reason: string }[]) : [];
    for (const device of ['swiftshader', 'lavapipe']) {
      const found = listed.find(({ id }) => id === device);
      const missing = found?.usable ? undefined : (found?.reason ?? errorLines.join(' '));
      cases.push({ executor, device, ...(missing === undefined ? {} : { missing }) });
    }
  }
  return cases;
}

/** Words of which the tiny models' data are made, in three languages. */
const words: Readonly<Record<string, readonly string[]>> = {
  en: ['red', 'green', 'apple', 'tree', 'house', 'river', 'old', 'new', 'bird', 'stone'],
  de: ['rot', 'grün', 'Apfel', 'Baum', 'Haus', 'Fluss', 'alt', 'neu', 'Vogel', 'Stein'],
  fi: ['punainen', 'vihreä', 'omena', 'puu', 'talo', 'joki', 'vanha', 'uusi', 'lintu', 'kivi'],
};

export interface JsonPair {
  readonly query: string;
  readonly passage: string;
  readonly lang: string;
  readonly parallel_id: string;
}

/** Parallel question and passage pairs of some invented words: `count` in each language. */
export function tinyPairs(count: number, langs: readonly string[] = Object.keys(words)): JsonPair[] {
  return Array.from({ length: count }, (_, index) =>
    langs.map((lang) => {
      const list = words[lang] ?? [];
      const word = (offset: number) => list[(index * 7 + offset * 3 + Math.floor(index / 10)) % list.length];
      return {
        query: `${word(0)} ${word(1)} ${index}?`,
        passage: `${word(0)} ${word(2)} ${word(1)} ${word(4)} ${index}.`,
        lang,
        parallel_id: String(index),
      };
    }),
  ).flat();
}

export async function writeJsonl(path: string, rows: readonly object[]): Promise<void> {
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** LaBSE's shape: the first token, a dense layer with tanh, normalised. */
export const labsePooling: PoolingConfig = {
  mode: 'cls',
  dense: { inFeatures: 16, outFeatures: 8, bias: true, activation: 'tanh' },
  normalize: true,
};

export const meanPooling: PoolingConfig = { mode: 'mean', normalize: true };

/** Saves a small random BERT with a tokenizer trained on the tiny pairs. */
export async function saveTinyModel(
  folder: string,
  pooling: PoolingConfig = meanPooling,
  overrides: Partial<EncoderConfig> = {},
): Promise<void> {
  const texts = tinyPairs(40).flatMap(({ query, passage }) => [query, passage]);
  const tokenizer = await trainTokenizer(texts, { vocabularySize: 200, model: 'wordpiece' });
  const config: EncoderConfig = {
    family: 'bert',
    vocabularySize: 256,
    hiddenSize: 16,
    layers: 1,
    heads: 2,
    intermediateSize: 32,
    maxPositions: 32,
    typeVocabularySize: 2,
    layerNormEpsilon: 1e-12,
    hiddenDropout: 0.1,
    attentionDropout: 0.1,
    positionOffset: 0,
    initializerRange: 0.1,
    ...overrides,
  };
  const specs = encoderParameters(config, pooling);
  const rows = freshParameters(config, specs, 7);
  const tensors = specs.map(({ name, shape }) => ({
    name,
    shape,
    read: () => rows(name, 0, shape[0] as number),
  }));
  await saveCheckpoint(folder, { config, pooling, maxLength: 32, tokenizer, tensors });
}

/** A LoRA adapter over a model of {@link saveTinyModel}, none of whose matrices is zero. */
export async function saveTinyAdapter(folder: string, base: string): Promise<void> {
  const { config, pooling, maxLength, tokenizer } = await openCheckpoint(base);
  const modules = ['query', 'value'].map((name) => `encoder.layer.0.attention.self.${name}`);
  const adapted: EncoderConfig = {
    ...config,
    adapter: {
      kind: 'lora',
      rank: 4,
      alpha: 8,
      dropout: 0,
      rankStabilized: false,
      modules,
      trainsEmbeddings: false,
      trainsLayerNorms: false,
    },
  };
  const tensors = encoderParameters(adapted, pooling).map(({ name, shape }) => ({
    name,
    shape,
    read: async () => {
      const size = shape.reduce((product, axis) => product * axis, 1);
      return Float32Array.from({ length: size }, (_, i) => Math.sin(i + name.length));
    },
  }));
  await saveCheckpoint(folder, {
    config: adapted,
    pooling,
    maxLength,
    tokenizer,
    tensors,
    adapterBase: base,
  });
}

/** The lines of a run's `metrics.jsonl`, without what the clock decides; empty while there are none. */
export async function readMetrics(run: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { seconds: _, ...entry } = JSON.parse(line) as Record<string, unknown>;
      return entry;
    });
}

/** cos(a, b). */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return a.length === b.length ? dot / Math.sqrt(aa * bb) : Number.NaN;
}

/** Passages as a corpus has them. */
export function tinyDocuments(count: number): { _id: string; title: string; text: string }[] {
  return tinyPairs(count, ['en']).map(({ passage }, i) => ({ _id: `d${i}`, title: '', text: passage }));
}

/** A collection as BEIR lays it out, in which eight of the documents are queries too. */
export async function writeBeir(root: string): Promise<string> {
  await mkdir(join(root, 'qrels'), { recursive: true });
  const documents = tinyDocuments(30);
  await writeJsonl(join(root, 'corpus.jsonl'), documents);
  const judged = documents.slice(0, 8);
  await writeJsonl(
    join(root, 'queries.jsonl'),
    judged.map(({ text }, i) => ({ _id: `q${i}`, text })),
  );
  const lines = judged.map(({ _id }, i) => `q${i}\t${_id}\t1`);
  await writeFile(join(root, 'qrels/test.tsv'), `query-id\tcorpus-id\tscore\n${lines.join('\n')}\n`);
  return root;
}
