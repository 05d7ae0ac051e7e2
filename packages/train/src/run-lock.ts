/**
 * Keeps two processes from training into one folder at once: each would write over the other's metrics and checkpoints.
 * A file names the process that trains; one left by a process that is gone, or from another machine, counts for nothing.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
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
    if (this.#taken) return;
    const holder = await this.#holder();
    if (holder === undefined || !(await isAlive(holder))) return;
    throw new TrainError(
      'INPUT_OUTPUT',
      `${this.#output}: process ${holder.pid} is training into it; wait for it, stop it (kill -INT ${holder.pid} leaves a checkpoint), or choose another --output`,
    );
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
    const partial = `${this.#path}${partialMark}${randomUUID()}`;
    try {
      await writeFile(partial, `${JSON.stringify(mine)}\n`);
      // Linking fails where the name is taken, and whoever reads it reads the whole of it.
      while (!(await linked(partial, this.#path))) {
        await this.check();
        await rm(this.#path, { force: true });
      }
    } catch (error) {
      throw writeError(this.#path, error);
    } finally {
      await rm(partial, { force: true }).catch(() => undefined);
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

  async #holder(): Promise<Holder | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as Holder;
    } catch {
      return undefined;
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Some file systems have no links.
    await rename(from, to);
  }
  return true;
}

async function isAlive({ pid, host, began }: Holder): Promise<boolean> {
  if (host !== hostname()) return false;
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
