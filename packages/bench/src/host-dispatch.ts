/**
 * Cost per dispatch of a training step of 12 layers in the native executor, each way of measuring it in a process of
 * its own (`host-dispatch-child.ts`): glibc and lavapipe read their settings when they are loaded.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DispatchCost } from './host-dispatch-child.js';

/** Without threads of its own, lavapipe wakes none when there is next to nothing to do. Other drivers ignore it. */
const noThreads = { LP_NUM_THREADS: '0' };
/** glibc then keeps what a thread has freed in lists of its own, however long they get. */
const longLists = { GLIBC_TUNABLES: 'glibc.malloc.tcache_count=65535' };

/** Arguments and environment of each; `empty`: kernels return at once, so that caches are the host's. */
const ways = {
  empty: { args: ['--empty'], env: noThreads },
  computing: { args: [], env: {} },
  empty_unchecked: { args: ['--empty', '--unchecked'], env: noThreads },
  empty_long_lists: { args: ['--empty'], env: { ...noThreads, ...longLists } },
} as const;

/** Exits as the child does where a child fails, which has said why. */
export function measureDispatches(device: string, runs: number): Record<keyof typeof ways, DispatchCost> {
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
