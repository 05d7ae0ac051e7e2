/**
 * Where a model's files are: a folder of this machine in Node, an address in a page. `imports` in package.json decides
 * which is behind `#model-source`. It knows names and bytes, not what they mean.
 */

/** Fills `target` from `position` on; rejects with `INPUT_CHECKPOINT` where the file ends before. */
export type ReadExactly = (target: Uint8Array, position: number) => Promise<void>;

/** A file that is read in parts. */
export interface ByteFile {
  /**
   * Whether there is one. In a page that asks for the file, which should then be used.
   *
   * @throws ModelError `INPUT_CHECKPOINT` where that cannot be known
   */
  isThere(): Promise<boolean>;
  /** Opens the file for `work`. @throws ModelError `INPUT_CHECKPOINT` where it cannot be opened */
  use<T>(work: (read: ReadExactly, sizeBytes: number) => Promise<T>): Promise<T>;
}

export interface ModelSource {
  /** Joins a folder and names inside it; empty names are left out. */
  join(...parts: readonly string[]): string;
  /** Last part of a path. */
  basename(path: string): string;
  isFile(path: string): Promise<boolean>;
  /** Names of the files of a folder; in a page, of weights that it may have. Rejects where it cannot be read. */
  list(folder: string): Promise<string[]>;
  /** A whole file. */
  readBytes(path: string): Promise<Uint8Array>;
  /**
   * A whole file, or undefined where there is none.
   *
   * @throws ModelError `INPUT_CHECKPOINT` where that cannot be known, or the file cannot be read
   */
  readBytesIfPresent(path: string): Promise<Uint8Array | undefined>;
  gunzip(bytes: Uint8Array): Promise<Uint8Array>;
  file(path: string): ByteFile;
  /** Whether a file could not be read because it is not there. */
  isMissing(error: unknown): boolean;
  /** The code of a system's error for messages, such as `ENOENT`, else its text. */
  reason(error: unknown): string;
}
