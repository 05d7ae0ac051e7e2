/**
 * Leaving while the device works: the process, a worker, the executor. A crash would be this process's own, so
 * `native-leaving.mjs` does it in another.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { softwareDevices } from './native-support.js';

const script = join(import.meta.dirname, 'native-leaving.mjs');

/** Runs the built packages, as a user would. */
function leave(how: string, device: string) {
  return new Promise<{ code: unknown; signal: string | null; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [script, how, device],
      { timeout: 100_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, signal: error?.signal ?? null, stdout, stderr }),
    );
  });
}

for (const { id, skip, title } of await softwareDevices()) {
  describe.skipIf(skip)(`leaving devices on ${title}`, () => {
    it.skipIf(process.platform !== 'linux')('waits for a device that opens before it exits', async () => {
      expect(await leave('opening', id)).toEqual({
        code: 3,
        signal: null,
        stdout: '',
        stderr: 'said meanwhile\n',
      });
    });

    it('survives the end of workers whose runs are settled', async () => {
      expect(await leave('worker', id)).toMatchObject({ code: 0, signal: null, stdout: 'survived\n' });
    });

    it.skipIf(process.platform !== 'linux')('gives back the memory of devices that are gone', async () => {
      const { code, stdout } = await leave('again', id);
      expect(code).toBe(0);
      expect(Number(stdout)).toBeLessThan(80);
    });

    it('survives that devices of npm webgpu are destroyed at work and collected', async () => {
      expect(await leave('collected', id)).toMatchObject({ code: 0, signal: null, stdout: 'survived\n' });
    });
  });
}
