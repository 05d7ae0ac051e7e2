/**
 * What every benchmarked process does: first run, warm-up, repeats, one line of JSON.
 *
 * Knows no library: `step.ts`, `layer.ts` and the scripts in `peers/` use it, so that all are timed
 * alike. `peers.ts` reads the line.
 */
import { type Spread, spread } from './statistics.js';

/** The line of JSON that a benchmarked process prints last. */
export interface ChildResult {
  readonly library: string;
  readonly version: string;
  /** Adapter and driver in the library's own words. */
  readonly driver: string;
  readonly seconds: Spread;
  /** From the start of the process to the result of the first run, modules and weights included. */
  readonly cold_start_seconds: number;
  /** The part of the cold start spent making weights, which is the same code for all. */
  readonly weights_seconds: number;
  /** Median CPU time of a run, all threads of the process: less sensitive to other load on the machine. */
  readonly cpu_seconds: number;
  /** Training step: the loss before the first and before the last step. */
  readonly loss?: { readonly first: number; readonly last: number };
  /** Forward pass: the first outputs and the mean of all absolute values. */
  readonly probe?: readonly number[];
}

export interface Repeats {
  readonly values: readonly number[];
  readonly seconds: Spread;
  readonly coldStartSeconds: number;
  readonly cpuSeconds: number;
}

/**
 * Runs `once` for the first time, `warmUps` times untimed and `runs` times timed.
 *
 * @param once does one run and waits for its result, which it returns
 */
export async function repeat(
  once: (index: number) => Promise<number>,
  { runs, warmUps }: { readonly runs: number; readonly warmUps: number },
): Promise<Repeats> {
  const values = [await once(0)];
  const coldStartSeconds = performance.now() / 1000;
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let index = 1; index <= warmUps + runs; index++) {
    const begin = performance.now();
    const cpuBegin = process.cpuUsage();
    values.push(await once(index));
    const { user, system } = process.cpuUsage(cpuBegin);
    if (index <= warmUps) continue;
    times.push((performance.now() - begin) / 1000);
    cpuTimes.push((user + system) / 1e6);
  }
  return {
    values,
    seconds: spread(times),
    coldStartSeconds,
    cpuSeconds: spread(cpuTimes).median,
  };
}

/** First and last loss; throws when the loss did not fall. */
export function fallingLoss(values: readonly number[]): { first: number; last: number } {
  const first = values[0] ?? Number.NaN;
  const last = values.at(-1) ?? Number.NaN;
  if (!(last < first)) throw new Error(`the loss did not fall: ${first} → ${last}`);
  return { first, last };
}

/** What two forward passes are compared by. */
export function probeOf(output: Float32Array): number[] {
  let sum = 0;
  for (const value of output) sum += Math.abs(value);
  return [...output.subarray(0, 7), sum / output.length];
}

/** Runs and warm-ups from the arguments `--runs` and `--warm-ups` that `peers.ts` passes. */
export function repeatArguments(args: readonly string[]): { runs: number; warmUps: number } {
  const value = (name: string, otherwise: number) => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  return { runs: value('--runs', 5), warmUps: value('--warm-ups', 1) };
}
