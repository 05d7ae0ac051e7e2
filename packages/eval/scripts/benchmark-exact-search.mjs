// Benchmark and check of exact search over synthetic embeddings in a store on disk.
//
//   node packages/eval/scripts/benchmark-exact-search.mjs --store FOLDER [--rows 1000000] [--dimension 384]
//     [--queries 1000] [--k 100] [--sample 20] [--device lavapipe] [--output FILE.json]
//
// Makes the store unless it is there, measures the device's copy bandwidth, searches, and compares a sample of
// the queries with sums in float64 over every row. Memory is this process's resident set, sampled.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { searchTopK } from '@synglot/eval';
import { EmbeddingStore } from '@synglot/eval/files';
import { PlanBuilder } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    rows: { type: 'string', default: '1000000' },
    dimension: { type: 'string', default: '384' },
    queries: { type: 'string', default: '1000' },
    k: { type: 'string', default: '100' },
    sample: { type: 'string', default: '20' },
    device: { type: 'string' },
    output: { type: 'string' },
  },
});
if (!values.store) throw new Error('give --store FOLDER');
const rows = Number(values.rows);
const dimension = Number(values.dimension);
const queryCount = Number(values.queries);
const k = Number(values.k);

const store = await openOrMake();
const queries = unitRows(queryCount, dimension, generator(2));
const executor = await openExecutor(values.device ? { device: values.device } : {});
const bandwidth = await copyBandwidth();
globalThis.gc?.();
const before = process.memoryUsage().rss;
let peak = before;
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 50);
const cpuBefore = process.cpuUsage();
const started = performance.now();
const hits = await searchTopK({
  executor,
  queries,
  source: store,
  k,
  onProgress: () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  },
});
const seconds = (performance.now() - started) / 1000;
const cpu = process.cpuUsage(cpuBefore);
clearInterval(timer);
const check = await checkSample();
const storeBytes = 4 * rows * dimension;
const flops = 2 * rows * dimension * queryCount;
const result = {
  benchmark: 'exact search: synthetic embeddings from a store on disk, f32, first k',
  device: {
    name: executor.device.name,
    driver: executor.device.driver,
    subgroups: executor.device.subgroups,
  },
  host: { cores: cpus().length, cpu: cpus()[0]?.model ?? '', node: process.version },
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  executor: executor.kind,
  rows,
  dimension,
  queries: queryCount,
  k,
  seconds,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  msPerQuery: (1000 * seconds) / queryCount,
  gflopsPerSecond: flops / seconds / 1e9,
  copyBytesPerSecond: bandwidth,
  // Bytes that must move: the passages once, the scores once.
  shareOfCopyBandwidth: (storeBytes + 4 * rows * queryCount) / seconds / bandwidth,
  residentBytesBefore: before,
  residentBytesPeak: peak,
  storeBytes,
  ...check,
};
console.log(JSON.stringify(result, null, 2));
if (values.output) writeFileSync(values.output, `${JSON.stringify(result, null, 2)}\n`);
await store.close();
executor.destroy();
if (check.recall !== 1) process.exitCode = 1;

async function openOrMake() {
  const key = { benchmark: 'exact-search', rows };
  const made = await EmbeddingStore.open(values.store, { create: { key, dimension } });
  const random = generator(1);
  const step = 50_000;
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const block = unitRows(count, dimension, random);
    if (made.rows > first) continue;
    const passages = Array.from({ length: count }, (_, i) => ({
      id: `d${first + i}`,
      place: first + i,
      textChecksum: 0,
    }));
    await made.append(passages, block);
  }
  await made.finish();
  await made.close();
  return EmbeddingStore.open(values.store, { verify: true });
}

/** Bytes read and written a second by copies of 64 MiB between two buffers, the best of five. */
async function copyBandwidth() {
  const elements = 2 ** 24;
  const copies = 8;
  const builder = new PlanBuilder('copy');
  const source = builder.external('source', [elements]);
  const target = builder.result('target', [elements]);
  for (let i = 0; i < copies; i++) builder.copy(source, target);
  const buffer = executor.createBuffer('source', 4 * elements);
  const plan = await executor.compile(builder.build(), new Map([['source', buffer]]));
  let best = 0;
  for (let run = 0; run < 6; run++) {
    const begin = performance.now();
    await plan.run({ reads: [{ name: 'target', sizeBytes: 4 }] });
    best = Math.max(best, (2 * 4 * elements * copies * 1000) / (performance.now() - begin));
  }
  plan.destroy();
  buffer.destroy();
  return best;
}

/** Sums in float64 over every row for a sample of queries: the k best, and how they agree. */
async function checkSample() {
  const sample = Math.min(Number(values.sample), queryCount);
  const scores = Array.from({ length: sample }, () => new Float64Array(rows));
  const step = 8192;
  const block = new Float32Array(step * dimension);
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    await store.read(first, first + count, block);
    for (let q = 0; q < sample; q++) {
      const query = Float64Array.from(queries.subarray(q * dimension, (q + 1) * dimension));
      for (let i = 0; i < count; i++) {
        let sum = 0;
        const base = i * dimension;
        for (let d = 0; d < dimension; d++) sum += query[d] * block[base + d];
        scores[q][first + i] = sum;
      }
    }
  }
  let found = 0;
  let sameOrder = 0;
  let worst = 0;
  for (let q = 0; q < sample; q++) {
    const kth = Float64Array.from(scores[q]).sort()[rows - k];
    const exact = Array.from(scores[q].keys())
      .filter((row) => scores[q][row] >= kth)
      .sort((a, b) => scores[q][b] - scores[q][a]);
    const best = new Set(exact);
    hits[q].rows.forEach((row, i) => {
      if (best.has(row)) found++;
      if (exact[i] === row) sameOrder++;
      worst = Math.max(worst, Math.abs(scores[q][row] - hits[q].scores[i]));
    });
  }
  return {
    sample,
    recall: found / (sample * k),
    sameRankShare: sameOrder / (sample * k),
    worstScoreError: worst,
  };
}

/** Rows of length 1 in random directions. */
function unitRows(count, width, random) {
  const data = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    let norm = 0;
    for (let d = 0; d < width; d++) {
      // Near enough to a normal distribution.
      const value = random() + random() + random() - 1.5;
      data[i * width + d] = value;
      norm += value * value;
    }
    const scale = 1 / Math.sqrt(norm);
    for (let d = 0; d < width; d++) data[i * width + d] *= scale;
  }
  return data;
}

/** Uniform numbers in [0, 1): mulberry32. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
