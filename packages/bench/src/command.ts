/** The built `synglot` command, for benchmarks that are made of whole runs. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../../packages/synglot/bin/synglot.js', import.meta.url));

/** Runs commands on a device; each returns what it printed. */
export function synglotOn(device: string): (...args: string[]) => string {
  return (...args) =>
    execFileSync(process.execPath, [command, ...args], {
      env: { ...process.env, SYNGLOT_DEVICE: device },
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
}

/** The device that these commands take. */
export function chosenDevice(synglot: (...args: string[]) => string) {
  const devices = JSON.parse(synglot('devices', '--json')) as {
    id: string;
    chosen: boolean;
    name: string;
    driver: string;
  }[];
  const { id, name, driver } = devices.find(({ chosen }) => chosen)!;
  return { id, name, driver };
}
