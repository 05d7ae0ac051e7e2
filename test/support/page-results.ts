/** Compares what comes back from a page, or from Deno, with what Node computes. */
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogue, extensionFeature, type KernelName, kernelExtensions } from '@synglot/kernels';
import { expect } from 'vitest';
import type { Checked } from './browser-page.js';
import { miniLm } from './cli.js';

/** Tensors by name, as words. */
export type PlainBits = readonly (readonly [string, readonly number[]])[];

/** The results of all steps. */
export function stepResults(bits: PlainBits): number[] {
  return bits.filter(([name]) => name.startsWith('step ')).flatMap(([, words]) => floats(words));
}

/** Says how many tensors have the same bits, which must have the same names. */
export function tellSameBits(where: string, there: PlainBits, inNode: PlainBits): void {
  expect(there.map(([name]) => name)).toEqual(inNode.map(([name]) => name));
  const same = inNode.filter(([, words], index) => words.every((word, at) => word === there[index]?.[1][at]));
  console.info(`${same.length} of ${inNode.length} tensors have the same bits in ${where} and in Node`);
}

/** Same lengths, all finite, and no value off by more than `tolerance` of the larger of 1 and itself. */
export function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) {
    const off = Math.abs((actual[index] as number) - value) / Math.max(1, Math.abs(value));
    expect(off, `value ${index}: ${actual[index]}, expected ${value}`).toBeLessThanOrEqual(tolerance);
  }
}

/** Expects that all kernels but those that need what the device lacks were read, and most compiled, without a failure. */
export function expectAllKernels(read: Checked, compiled: Checked, features: readonly string[]): void {
  expect([...read.failures, ...compiled.failures]).toEqual([]);
  const lacking = (name: string) => {
    const definition = catalogue[name.replace(' (f16)', '') as KernelName];
    const half = Object.fromEntries(definition.types.map((type) => [type.name, 'f16']));
    return kernelExtensions(definition, name.endsWith('(f16)') ? half : {}).filter(
      (extension) => !features.includes(extensionFeature[extension]),
    );
  };
  const known = Object.keys(catalogue);
  const named = [...read.names, ...read.skipped].filter((name) => known.includes(name));
  expect(named.toSorted()).toEqual(known.toSorted());
  expect(read.skipped.filter((name) => lacking(name).length === 0)).toEqual([]);
  expect(compiled.names.length).toBeGreaterThan(known.length / 2);
  console.info(
    `${read.names.length} modules read, ${compiled.names.length} pipelines made, ${read.skipped.length} variants need what this device lacks`,
  );
}

/** MiniLM in a new folder under the usual names, which are all that can be guessed of an address. */
export async function linkMiniLm(folder: string): Promise<void> {
  await mkdir(folder);
  for (const name of await readdir(miniLm)) {
    await symlink(join(miniLm, name), join(folder, name.replace('.fp16.', '.')));
  }
}

function floats(words: readonly number[]): number[] {
  return [...new Float32Array(Uint32Array.from(words).buffer)];
}
