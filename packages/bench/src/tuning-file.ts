/** Tables of `synglot tune` for `bench step --tune`: read where there is one, and added to. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { DeviceInfo } from '@synglot/gpu';
import type { TuningTable } from '@synglot/nn';

type Tuned = Pick<DeviceInfo, 'name' | 'driver'>;

/** @throws Error with one line where the file is of another device, or no table */
export function readTuning(path: string, { name, driver }: Tuned): TuningTable {
  if (!existsSync(path)) return {};
  let file: { device?: string; driver?: string; choices?: TuningTable };
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: no table of tuned kernels`, { cause });
  }
  if (file.device === name && file.driver === driver && file.choices) return file.choices;
  throw new Error(
    `${path}: expected a table of ${name} with ${driver} but it is of ${file.device}, ${file.driver}`,
  );
}

/** Writes what the file holds and `choices`; what ends the process meanwhile leaves the file as it was. */
export function writeTuning(path: string, device: Tuned, choices: TuningTable): void {
  const all = { ...readTuning(path, device), ...choices };
  const file = { device: device.name, driver: device.driver, choices: all };
  writeFileSync(`${path}.part`, `${JSON.stringify(file, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}
