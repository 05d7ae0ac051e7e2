/**
 * What making a batch costs: how much of it the JavaScript thread, how much the tokenizer's own threads. And
 * what the JavaScript thread would still have to do if a worker tokenized and packed. No device is open meanwhile.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  BatchSampler,
  codeSwitching,
  collate,
  type Encode,
  LexiconBuilder,
  TrainingSet,
} from '@synglot/data';
import { readPairs } from '@synglot/data/files';
import { threadTimeNs } from '@synglot/gpu/node';
import type { Tokenizer } from '@synglot/models';
import { type EncoderConfig, packBatch } from '@synglot/nn';
import type { HostData } from './host-data.js';
import { spread } from './statistics.js';

const maxLength = 256;
const warmUps = 20;

export function encodeWith(tokenizer: Tokenizer): Encode {
  return async (texts) => (await tokenizer.encodeBatch(texts, { maxLength })).map(({ ids }) => ids);
}

export function hybridSampler(set: TrainingSet, pairs: number): BatchSampler {
  return new BatchSampler(set, { batchSize: pairs, seed: 1, mode: 'hybrid', alpha: 0.5 });
}

/** Reads the pairs from a file, `runs` times; times in milliseconds, of all pairs. */
export async function measureReading({ lines }: HostData, runs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'synglot-host-'));
  try {
    const file = join(folder, 'pairs.jsonl');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const times = new Times();
    let set: TrainingSet | undefined;
    for (let run = 0; run <= runs; run++) {
      const stop = times.start('main', run > 0);
      set = await TrainingSet.read(readPairs(file));
      stop();
    }
    return { set: set as TrainingSet, reading: { pairs: lines.length, main_ms: times.of('main') } };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Makes batches of `pairs` as a training run does, one after the other; times in milliseconds per batch. */
export async function measureBatches(
  set: TrainingSet,
  tokenizer: Tokenizer,
  config: EncoderConfig,
  { pairs, runs }: { readonly pairs: number; readonly runs: number },
) {
  const sampler = hybridSampler(set, pairs);
  const encode = encodeWith(tokenizer);
  const rewrite = codeSwitching({ lexicons: lexicons(set), rate: 0.5, seed: 1 }, set.languages);
  const worker = new Worker(echo, { eval: true });
  const times = new Times();
  const others: number[] = [];
  const walls: number[] = [];
  let tokens = 0;
  for (let run = 0; run < warmUps + runs; run++) {
    const counts = run >= warmUps;
    const cpu = process.cpuUsage();
    const begin = performance.now();
    const main = threadTimeNs();
    let stop = times.start('sample', counts);
    const batch = sampler.next();
    stop();
    stop = times.start('collate', counts);
    const packed = await collate(batch, encode);
    stop();
    stop = times.start('pack', counts);
    const { queries, candidates } = packed.counts;
    const capacity = { tokens: Math.ceil(packed.counts.tokens / 4) * 4, queries, candidates };
    packBatch(config, capacity, { ...packed, queries, candidates });
    stop();
    const own = (threadTimeNs() - main) / 1e6;
    const { user, system } = process.cpuUsage(cpu);
    if (counts) {
      tokens += packed.counts.tokens;
      times.add('total', own);
      others.push((user + system) / 1e3 - own);
      walls.push(performance.now() - begin);
    }
    stop = times.start('code-switching', counts);
    rewrite(batch);
    stop();
    stop = times.start('hand over', counts);
    const texts = batch.pairs.flatMap(({ query, passage }) => [query.text, passage.text]);
    worker.postMessage({ texts, tokens: packed.counts.tokens });
    const [[ids]] = (await once(worker, 'message')) as [readonly Uint32Array[]];
    stop();
    if (ids?.length !== packed.counts.tokens)
      throw new Error('the worker sent back another number of tokens');
  }
  await worker.terminate();
  return {
    pairs,
    tokens: tokens / runs,
    main_ms: {
      sample: times.of('sample'),
      collate: times.of('collate'),
      pack: times.of('pack'),
      total: times.of('total'),
    },
    other_threads_ms: spread(others),
    wall_ms: spread(walls),
    code_switching_main_ms: times.of('code-switching'),
    worker_hand_over_main_ms: times.of('hand over'),
  };
}

/** Takes texts, and sends as much back as a worker that makes batches would: ids, borders, groups. */
const echo = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ texts, tokens }) => {
  const arrays = [new Uint32Array(tokens), new Uint32Array(texts.length + 1), new Uint32Array(texts.length / 2)];
  parentPort.postMessage(arrays, arrays.map(({ buffer }) => buffer));
});`;

/** Lexicons from every language into two others that have a made-up translation of every word. */
function lexicons(set: TrainingSet) {
  return set.languages.flatMap((from, index) =>
    [1, 2].map((next) => {
      const to = set.languages[(index + next) % set.languages.length] as string;
      const builder = new LexiconBuilder(from, to, `${from}-${to}`);
      for (const { lang, text } of set.rows) {
        if (lang === from)
          for (const word of text.split(/[^\p{L}\p{M}]+/u)) builder.add(word, `${word}${to}`);
      }
      return builder.build();
    }),
  );
}

/** Processor time of the JavaScript thread by name, in milliseconds. */
class Times {
  readonly #values = new Map<string, number[]>();

  /** Starts a clock; what it returns stops it. */
  start(name: string, counts: boolean): () => void {
    const begin = threadTimeNs();
    return () => {
      const milliseconds = (threadTimeNs() - begin) / 1e6;
      if (counts) this.add(name, milliseconds);
    };
  }

  add(name: string, milliseconds: number): void {
    const values = this.#values.get(name) ?? [];
    values.push(milliseconds);
    this.#values.set(name, values);
  }

  of(name: string) {
    return spread(this.#values.get(name) ?? []);
  }
}
