/**
 * Cost per dispatch of a training step of 12 layers in the native executor, each way of measuring it in a process of
 * its own (`host-dispatch-child.ts`): glibc and lavapipe read their settings when they are loaded.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { layerSettings, NullDeviceError } from './compile-only.js';
import type { DispatchCost } from './host-dispatch-child.js';

/** Without threads of its own, lavapipe wakes none when there is next to nothing to do. Other drivers ignore it. */
const noThreads = { LP_NUM_THREADS: '0' };
/** glibc then keeps what a thread has freed in lists of its own, however long they get. */
const longLists = { GLIBC_TUNABLES: 'glibc.malloc.tcache_count=65535' };

/** By name; `empty`: kernels return at once, so that caches are the host's. */
export type DispatchCosts = Readonly<Record<string, DispatchCost>>;

/** Exits as the child does where a child fails, which has said why. */
export function measureDispatches(device: string, runs: number): DispatchCosts {
  const withoutDriver = recordNothing();
  const ways = {
    empty: { args: ['--empty'], env: noThreads },
    computing: { args: [], env: {} },
    ...(withoutDriver ? { empty_without_driver: { args: ['--empty'], env: withoutDriver } } : {}),
    empty_unchecked: { args: ['--empty', '--unchecked'], env: noThreads },
    empty_long_lists: { args: ['--empty'], env: { ...noThreads, ...longLists } },
    empty_unchecked_long_lists: { args: ['--empty', '--unchecked'], env: { ...noThreads, ...longLists } },
  };
  const child = fileURLToPath(new URL('host-dispatch-child.js', import.meta.url));
  const measured = Object.entries(ways).map(([name, { args, env }]) => {
    const { status, signal, stdout } = spawnSync(
      process.execPath,
      [child, '--device', device, '--runs', String(runs), ...args],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
    );
    if (signal) throw new Error(`a measurement was ended by ${signal}`);
    if (status !== 0) process.exit(status ?? 1);
    return [name, JSON.parse(stdout.trim().split('\n').at(-1) as string) as DispatchCost];
  });
  return Object.fromEntries(measured);
}

/** Where the driver is handed no command of a compute pass; undefined, with a line, where no layer can be built. */
function recordNothing(): Readonly<Record<string, string>> | undefined {
  try {
    return { ...noThreads, ...layerSettings(), SYNGLOT_RECORD_NOTHING: '1' };
  } catch (error) {
    if (!(error instanceof NullDeviceError)) throw error;
    console.log(`not measured without the driver: ${error.message}`);
    return undefined;
  }
}
