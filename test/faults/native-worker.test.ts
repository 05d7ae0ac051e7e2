/** Devices in worker threads, whose `process.env` is a copy: the Vulkan loader knows nothing of what is set there. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openNative, softwareDevices } from './native-support.js';

const devices = (await softwareDevices()).filter(({ skip }) => !skip).map(({ id }) => id);

it.skipIf(devices.length < 2)('workers open the devices that they ask for, all at once', async () => {
  const asked = [...devices, ...devices];
  const expected: string[] = [];
  for (const device of asked) {
    const executor = await openNative(device);
    expected.push(executor.device.name);
    executor.destroy();
  }
  expect(new Set(expected).size).toBe(devices.length);
  const script = join(import.meta.dirname, 'native-worker.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...asked]);
  expect(JSON.parse(stdout)).toEqual(expected);
});
