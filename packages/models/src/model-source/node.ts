/** Model files in folders of this machine. */
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkpointError, reasonOf } from '../errors.js';
import { isFile, readExactly, systemCode } from '../files.js';
import type { ModelSource } from './source.js';

const unzip = promisify(gunzip);

const reason = (error: unknown) => systemCode(error) || reasonOf(error);

/** Folders and files; a file that is read in parts is open only while it is. */
export const modelSource: ModelSource = {
  join,
  basename,
  isFile,
  reason,
  isMissing: (error) => systemCode(error) === 'ENOENT',
  list: (folder) => readdir(folder),
  readBytes: (path) => readFile(path),
  async readBytesIfPresent(path) {
    if (!(await isFile(path))) return undefined;
    return readFile(path).catch((error: unknown) => {
      throw checkpointError(`${path}: cannot be read (${reason(error)})`, error);
    });
  },
  gunzip: (bytes) => unzip(bytes),
  file: (path) => ({
    isThere: () => isFile(path),
    async use(work) {
      let handle: FileHandle;
      try {
        handle = await open(path, 'r');
      } catch (error) {
        throw checkpointError(`${path}: cannot be opened (${reason(error)})`, error);
      }
      try {
        const { size } = await handle.stat();
        return await work((target, position) => readExactly(handle, target, position, path), size);
      } finally {
        await handle.close();
      }
    },
  }),
};
