/** Fixtures that PyTorch made: a JSON description beside a safetensors file. Not the library's own reader. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchCapacity, EncoderBatch, EncoderConfig, InfoNceOptions, PoolingConfig } from '@synglot/nn';
import type { FixtureBatch } from '../fixtures/sampled-batches.js';

export const torchFixtures = join(import.meta.dirname, '../fixtures/torch');

/** What every fixture of `make_torch_fixtures.py` says; `More` is what one kind of them adds. */
export type TorchFixture<More> = More & {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly loss: InfoNceOptions;
  /** float32 tensors: `gradient dense.weight` and the like. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
};

/** Reads `torch/<name>.json` and `torch/<name>.safetensors`. */
export function readTorchFixture<More>(name: string): TorchFixture<More> {
  const description = JSON.parse(readFileSync(join(torchFixtures, `${name}.json`), 'utf8'));
  return { ...description, tensors: readTensors(join(torchFixtures, `${name}.safetensors`)) };
}

function readTensors(path: string): Map<string, Float32Array> {
  const file = readFileSync(path);
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, Float32Array>();
  for (const [name, { dtype, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (dtype !== 'F32') throw new Error(`${path}: expected '${name}' in F32 but received ${dtype}`);
    const bytes = Uint8Array.from(file.subarray(headerEnd + offsets[0], headerEnd + offsets[1]));
    tensors.set(name, new Float32Array(bytes.buffer));
  }
  return tensors;
}

/** A tensor of a fixture; a missing one is an error. */
export function expectedTensor(tensors: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the fixture has no tensor '${name}'`);
  return tensor;
}

/** The batch as `packBatch` takes it, with its mask groups. */
export function encoderBatch(batch: FixtureBatch): EncoderBatch & { readonly groups: Uint32Array } {
  return {
    ids: Uint32Array.from(batch.ids),
    cuSeqlens: Uint32Array.from(batch.cuSeqlens),
    queries: batch.queries,
    candidates: batch.candidates,
    groups: Uint32Array.from(batch.groups),
    ...(batch.types ? { types: Uint32Array.from(batch.types) } : {}),
  };
}

/** The least capacity that holds every batch: multiples of 8. */
export function capacityFor(batches: readonly FixtureBatch[]): BatchCapacity {
  const most = (size: (batch: FixtureBatch) => number) => Math.ceil(Math.max(...batches.map(size)) / 8) * 8;
  return {
    tokens: most(({ ids }) => ids.length),
    queries: most(({ queries }) => queries),
    candidates: most(({ candidates }) => candidates),
  };
}

/** Largest difference in relation to the largest expected number, and where it is. */
export interface Difference {
  readonly name: string;
  readonly relative: number;
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
}

/** max |x| of a tensor. */
export function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  return largest;
}

/**
 * Compares a tensor with its reference: max |a − b| / max(max |b|, `floor`). NaN counts as infinitely far.
 *
 * @param floor keeps a tensor whose reference is 0 but for rounding from being compared with its own noise
 */
export function compareTensors(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  floor: number,
): Difference {
  if (actual.length !== expected.length || expected.length === 0) {
    throw new Error(`${name}: expected ${expected.length} values but received ${actual.length}`);
  }
  const scale = Math.max(floor, largestOf(expected));
  let worst: Difference = { name, relative: -1, index: -1, actual: Number.NaN, expected: Number.NaN };
  for (let index = 0; index < expected.length; index++) {
    const [a, b] = [actual[index] as number, expected[index] as number];
    const distance = a === b ? 0 : Math.abs(a - b) / scale;
    const relative = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    if (relative > worst.relative) worst = { name, relative, index, actual: a, expected: b };
  }
  return worst;
}

/** The worst of several differences, as one line. */
export function describeWorst(differences: readonly Difference[]): { relative: number; line: string } {
  const worst = differences.reduce((a, b) => (b.relative > a.relative ? b : a));
  const { name, relative, index, actual, expected } = worst;
  return {
    relative,
    line: `worst of ${differences.length} tensors: ${name}[${index}] is ${actual}, expected ${expected} (relative ${relative.toExponential(2)})`,
  };
}
