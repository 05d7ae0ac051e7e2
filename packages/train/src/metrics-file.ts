/** `metrics.jsonl`: one line per update or validation. A resumed run drops the lines of what it will do again. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TrainError } from './errors.js';

/** An open `metrics.jsonl`. */
export class MetricsFile {
  readonly #file: FileHandle;
  readonly #path: string;

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens for appending after update `step`; later lines and an incomplete last line are removed. */
  static async open(path: string, step: number): Promise<MetricsFile> {
    const file = await open(path, 'a');
    await file.truncate(await lengthUntil(path, step));
    return new MetricsFile(file, path);
  }

  /** Appends a line. */
  async append(entry: object): Promise<void> {
    await this.#written(this.#file.appendFile(`${JSON.stringify(entry)}\n`));
  }

  /** Waits until all lines are on the disk. */
  async sync(): Promise<void> {
    await this.#written(this.#file.datasync());
  }

  async #written(done: Promise<void>): Promise<void> {
    await done.catch((error: Error) => {
      throw new TrainError(
        'INPUT_OUTPUT',
        `${this.#path}: cannot write: ${error.message}; free some space and --resume`,
      );
    });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Bytes of the whole lines up to the first of a later update. The file of a long run is larger than a string can be. */
async function lengthUntil(path: string, step: number): Promise<number> {
  let length = 0;
  let rest: Buffer = Buffer.alloc(0);
  const pieces: AsyncIterable<Buffer> = createReadStream(path);
  for await (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      if (stepOf(rest.toString('utf8', 0, end)) > step) return length;
      length += end + 1;
      rest = rest.subarray(end + 1);
    }
  }
  return length;
}

function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step?: unknown }).step ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
