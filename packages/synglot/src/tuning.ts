/**
 * Tables of tuned kernels: where they are kept, and how an executor comes to use one. `synglot tune` makes them;
 * what is measured is in @synglot/nn (`tuning/`).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DeviceInfo, Executor } from '@synglot/gpu';
import { defaultCacheDir } from '@synglot/gpu/node';
import type { KernelChoice, TuningTable } from '@synglot/nn';

/** A table of tuned kernels that cannot be used. */
class TuningError extends Error {
  readonly code = 'INPUT_TUNING';
}

/** What a file of tuned kernels holds. */
interface TuningFile {
  readonly device: string;
  readonly driver: string;
  readonly choices: TuningTable;
}

/** Name of the table in the folder of a run or a sweep, with which it is resumed. */
export const runTuningFile = 'tuning.json';

type TunedDevice = Pick<DeviceInfo, 'id' | 'name' | 'driver'>;

/**
 * The table of a device with its driver: another driver may be fastest with other tiles. Two GPUs of one name have the
 * same, whichever was chosen as `gpu:1`.
 */
export function tuningPath({ id, name, driver }: TunedDevice): string {
  const hash = createHash('sha256').update(`${name}\0${driver}`).digest('hex').slice(0, 12);
  return join(defaultCacheDir(), 'tuning', `${id.replace(/:.*/, '')}-${hash}.json`);
}

/**
 * Reads a table; undefined if there is none.
 *
 * @throws TuningError `INPUT_TUNING`, one line, if the file is no table
 */
export async function readTuning(path: string): Promise<TuningTable | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new TuningError(`${path}: cannot be read (${error.code})`);
  });
  if (text === undefined) return undefined;
  try {
    const { choices } = JSON.parse(text) as TuningFile;
    if (Object.values(choices).every(isChoice)) return choices;
  } catch {
    // Said below.
  }
  throw new TuningError(`${path}: no table of tuned kernels; remove it or run 'synglot tune'`);
}

/** The choices of this device's table, to which new ones are added; empty if there is no usable table. */
export async function keptTuning(path: string, { name, driver }: TunedDevice): Promise<TuningTable> {
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as TuningFile;
    const same = file.device === name && file.driver === driver;
    return same && Object.values(file.choices).every(isChoice) ? { ...file.choices } : {};
  } catch {
    return {};
  }
}

function isChoice(choice: KernelChoice | undefined): boolean {
  return typeof choice?.kernel === 'string' && typeof choice.constants === 'object';
}

/**
 * Writes a table, whole or not at all.
 *
 * @throws TuningError `INPUT_TUNING`, one line, if it cannot be written
 */
export async function writeTuning(path: string, device: DeviceInfo, choices: TuningTable): Promise<void> {
  const file: TuningFile = { device: device.name, driver: device.driver, choices };
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, `${JSON.stringify(file, null, 2)}\n`);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new TuningError(`${path}: cannot be written (${code ?? message})`, { cause });
  }
}

/** The same executor, whose plans take their matrix products and attention from the table. */
export function withTuning(executor: Executor, choices: TuningTable | undefined): Executor {
  if (!choices || Object.keys(choices).length === 0) return executor;
  const device: DeviceInfo & { readonly kernelChoices: TuningTable } = {
    ...executor.device,
    kernelChoices: choices,
  };
  return {
    kind: executor.kind,
    device,
    createBuffer: (label, sizeBytes) => executor.createBuffer(label, sizeBytes),
    write: (buffer, data, offsetBytes) => executor.write(buffer, data, offsetBytes),
    read: (buffer, offsetBytes, sizeBytes) => executor.read(buffer, offsetBytes, sizeBytes),
    compile: (plan, externals) => executor.compile(plan, externals),
    destroy: () => executor.destroy(),
  };
}

/** Where the device's table is, or would be; `SYNGLOT_TUNING` names another file, or is `off` for none. */
export function deviceTuning(device: TunedDevice): {
  readonly path: string | undefined;
  readonly exists: boolean;
} {
  const named = process.env.SYNGLOT_TUNING;
  const path = named === 'off' ? undefined : named || tuningPath(device);
  return { path, exists: path !== undefined && existsSync(path) };
}

/** The device's tuned table; `SYNGLOT_TUNING` names another file, or is `off`. */
export async function defaultTuning(device: DeviceInfo): Promise<TuningTable | undefined> {
  const { path } = deviceTuning(device);
  if (path === undefined) return undefined;
  const table = await readTuning(path);
  if (!table && process.env.SYNGLOT_TUNING) throw new TuningError(`${path}: no such file (SYNGLOT_TUNING)`);
  return table;
}
