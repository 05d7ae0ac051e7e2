/** Options that several commands share. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import { checkWritableAtomic } from '@synglot/models';
import type { TuningTable } from '@synglot/nn';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { tell } from '../progress.js';
import { defaultTuning, withTuning } from '../tuning.js';

export interface DeviceOptions {
  readonly device?: string;
  readonly executor?: 'native' | 'webgpu';
}

/** Adds `--device` and `--executor`. */
export function withDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--device <id or name>',
        "gpu, lavapipe or swiftshader; of several GPUs gpu:0, gpu:1, … as 'synglot devices' lists them, or a part of a device's name; default: the best there is",
      ).env('SYNGLOT_DEVICE'),
    )
    .addOption(
      new Option('--executor <kind>', 'native (C++ on Dawn) or webgpu (npm webgpu)')
        .choices(['native', 'webgpu'])
        .env('SYNGLOT_EXECUTOR'),
    );
}

/** The options, with the configuration's device if they name none. */
export function orDeviceOf<Options extends DeviceOptions>(
  options: Options,
  { device }: { readonly device?: string | undefined },
): Options {
  return options.device || device === undefined ? options : { ...options, device };
}

/**
 * Opens the device that the options ask for and says which one it is. Its plans use the kernels that
 * `synglot tune` found, or those of `tuning`: a table, or null for none.
 */
export async function openDevice(
  options: DeviceOptions,
  tuning?: TuningTable | null,
  onNotice: (line: string) => void = tell,
): Promise<Executor> {
  const executor = await openExecutor({
    ...(options.device ? { device: options.device } : {}),
    ...(options.executor ? { executor: options.executor } : {}),
    onNotice,
  });
  onNotice(`device: ${executor.device.name} (${executor.device.id}, ${executor.kind} executor)`);
  const table = tuning === undefined ? await defaultTuning(executor.device) : (tuning ?? undefined);
  return withTuning(executor, table);
}

/** Parses a whole number from `least` on. */
export function wholeNumber(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`expected a whole number from ${least}`);
    }
    return number;
  };
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}

/** `--set` of commands that read a configuration for its data: what a run was given, these must be given too. */
export const settingsOption = [
  '--set <key=value>',
  'a setting instead of what the file says, as for synglot train; may be repeated',
  collect,
] as const;

/** Parses the size to which embeddings are cut: a multiple of 4, as exact search wants it. */
export function dimensionSize(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 4 || number % 4 !== 0) {
    throw new InvalidArgumentError('expected a multiple of 4');
  }
  return number;
}

/** Parses `en,de,ar`. */
export function languageList(value: string): string[] {
  const langs = value
    .split(',')
    .map((lang) => lang.trim())
    .filter(Boolean);
  if (langs.length === 0) throw new InvalidArgumentError('expected languages like en,de,ar');
  return langs;
}

/**
 * Checks, before the work and not after it, that a file can be written.
 *
 * @throws DataError `INPUT_FILE` where its folder is not there, or it or its folder is of the other kind; ModelError
 *   `INPUT_DISK` where nothing may be written in it, or not by such a name
 */
export async function checkOutputFile(path: string): Promise<void> {
  if (path === '-') {
    throw new DataError('INPUT_OPTION', '-: only encode writes to standard output; name a file');
  }
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    const reason = found ? 'is a file' : 'does not exist; create it first';
    throw new DataError('INPUT_FILE', `${path}: cannot be written, because ${folder} ${reason}`);
  }
  checkWritableAtomic(path);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new DataError('INPUT_FILE', `${path}: a folder; name a file in it`);
  // What is written takes its name, and would take the place of /dev/null too.
  if (there && !there.isFile()) throw new DataError('INPUT_FILE', `${path}: not a file; name another`);
}

/**
 * Checks that what is written would not take the place of what is read.
 *
 * @param inputs files and folders, and names that may be neither
 * @param option that names the output
 * @throws DataError `INPUT_OPTION`
 */
export async function checkNotInput(
  output: string,
  inputs: readonly (string | undefined)[],
  option = '--output',
): Promise<void> {
  const written = await identityOf(output);
  if (written === undefined) return;
  for (const input of inputs) {
    if (input === undefined || (await identityOf(input)) !== written) continue;
    throw new DataError(
      'INPUT_OPTION',
      `${output}: is read, and would be written over; choose another ${option}`,
    );
  }
}

/** Equal for two names of one file. */
async function identityOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  );
}
