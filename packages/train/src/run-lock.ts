/**
 * Keeps two processes from training into one folder at once: each would write over the other's metrics and checkpoints.
 * A file names the process that trains; one left by a process that is gone, or from another machine, counts for nothing.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { partialMark, writeError } from '@synglot/models';
import { TrainError } from './errors.js';

const lockFile = 'running.json';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the system's own count: process ids are used again. */
  readonly began?: string | undefined;
}

/** The right to train into a folder. Not taken until {@link RunLock.take}. */
export class RunLock {
  readonly #output: string;
  readonly #path: string;
  #taken = false;

  constructor(output: string) {
    this.#output = output;
    this.#path = join(output, lockFile);
  }

  /** @throws TrainError `INPUT_OUTPUT` while another run holds the folder */
  async check(): Promise<void> {
    if (!this.#taken) await this.#look();
  }

  /**
   * Takes the folder, which must be there.
   *
   * @returns whether it was not this run's already
   * @throws TrainError `INPUT_OUTPUT` while another run holds it
   */
  async take(): Promise<boolean> {
    if (this.#taken) return false;
    const mine: Holder = { pid: process.pid, host: hostname(), began: await beginOf(process.pid) };
    const written = `${this.#path}${partialMark}${randomUUID()}`;
    try {
      await writeFile(written, `${JSON.stringify(mine)}\n`);
      while (!(await linked(written, this.#path))) {
        if ((await this.#look()) === 'left' && (await this.#takeOver(written))) break;
      }
    } catch (error) {
      throw writeError(this.#path, error);
    } finally {
      await rm(written, { force: true }).catch(() => undefined);
    }
    this.#taken = true;
    return true;
  }

  /** Gives the folder back, if it was taken. */
  async release(): Promise<void> {
    if (!this.#taken) return;
    this.#taken = false;
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  /** Whether there is no lock, or one that a run which is gone has left. @throws TrainError as `check` */
  async #look(): Promise<'free' | 'left'> {
    const holder = await holderOf(this.#path);
    if (holder === undefined) return 'free';
    if (!(await isAlive(holder))) return 'left';
    throw new TrainError(
      'INPUT_OUTPUT',
      `${this.#output}: process ${holder.pid} is training into it; wait for it, stop it (kill -INT ${holder.pid} leaves a checkpoint), or choose another --output`,
    );
  }

  /**
   * Puts `written` in the place of what a run that is gone has left: one process at a time, so that nobody takes away
   * what another has just put there.
   */
  async #takeOver(written: string): Promise<boolean> {
    const guard = `${this.#path}${partialMark}guard`;
    if (!(await linked(written, guard))) {
      const other = await holderOf(guard);
      // It was killed just there.
      if (other !== undefined && !(await isAlive(other))) await rm(guard, { force: true });
      await setTimeout(1);
      return false;
    }
    try {
      if ((await this.#look()) === 'free') return false;
      await rename(written, this.#path);
      return true;
    } finally {
      await rm(guard, { force: true });
    }
  }
}

/** Undefined where there is none; of a file that is not a lock, a holder without anything. */
async function holderOf(path: string): Promise<Partial<Holder> | undefined> {
  try {
    return { ...(JSON.parse(await readFile(path, 'utf8')) as Holder) };
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : {};
  }
}

/** Gives a file a second name, if nothing has it. Whoever reads it there reads the whole of it. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    return copied(from, to);
  }
  return true;
}

/** For file systems without links. */
async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  return true;
}

async function isAlive({ pid, host, began }: Partial<Holder>): Promise<boolean> {
  if (pid === undefined || host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    if (codeOf(error) !== 'EPERM') return false;
  }
  const now = await beginOf(pid);
  return began === undefined || now === undefined || began === now;
}

/** Where the system tells it: Linux. */
async function beginOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name of the program, in brackets, may hold anything; the 20th field after it is the time of its start.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
