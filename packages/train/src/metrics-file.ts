/** `metrics.jsonl`: one line per update or validation. A resumed run drops the lines of what it will do again. */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
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
    const text = await readFile(path, 'utf8').catch(() => '');
    let kept = 0;
    for (const line of text.split(/(?<=\n)/)) {
      if (!line.endsWith('\n') || stepOf(line) > step) break;
      kept += Buffer.byteLength(line);
    }
    if (text.length > 0) await truncate(path, kept);
    return new MetricsFile(await open(path, 'a'), path);
  }

  /** Appends a line. */
  async append(entry: object): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify(entry)}\n`);
    } catch (error) {
      throw new TrainError(
        'INPUT_OUTPUT',
        `${this.#path}: cannot write: ${(error as Error).message}; free some space and --resume`,
      );
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step?: unknown }).step ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
