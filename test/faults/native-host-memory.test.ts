/** Where the host has no memory for what is read: that read is rejected, and the device goes on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { softwareDevices } from './native-support.js';

/** Reads 256 MiB where there is room for the driver's copy of them but not for another. */
const script = `
  import { execFileSync } from 'node:child_process';
  import { readFileSync } from 'node:fs';
  import { openExecutor } from '@synglot/gpu/node';
  const executor = await openExecutor({ device: process.argv[1], executor: 'native', cacheDir: '' });
  const large = executor.createBuffer('large', 2 ** 28);
  await executor.read(large, 0, 4);
  const used = 1024 * Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  execFileSync('prlimit', ['--pid', process.pid, '--as=' + (used + 384 * 2 ** 20)]);
  const outcome = await executor.read(large).then(({ byteLength }) => byteLength, ({ code, message }) => code + ': ' + message);
  console.log(outcome);
  console.log((await executor.read(large, 0, 8)).byteLength);
  executor.destroy();
`;

const prlimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

for (const { id, skip, title } of await softwareDevices()) {
  const where = prlimit ? title : `${title} (prlimit of util-linux is missing)`;
  describe.skipIf(skip || !prlimit)(`little memory beside ${where}`, () => {
    it('rejects what cannot be read, and reads on', () => {
      const args = ['--input-type=module', '-e', script, id];
      const stdout = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' });
      expect(stdout).toBe(
        "DEVICE_OUT_OF_MEMORY: read of buffer 'large': the host has no memory for what was read\n8\n",
      );
    });
  });
}
