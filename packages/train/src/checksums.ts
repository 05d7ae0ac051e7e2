/** What the files of a folder were when it was complete, so that nothing is trained on from damaged ones. */
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeFileAtomic } from '@synglot/models';

const checksumsFile = 'checksums.json';

/** Writes down the CRC-32 of every file in `folder` and the folders in it. */
export async function writeChecksums(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sums: Record<string, number> = {};
  for (const path of files.sort()) sums[relative(folder, path).replaceAll(sep, '/')] = await checksumOf(path);
  const text = `${JSON.stringify(sums, null, 2)}\n`;
  await writeFileAtomic(join(folder, checksumsFile), (file) => file.writeFile(text));
}

/** The first file that is not what it was, if there is one. Of a folder without checksums nothing is known. */
export async function findDamaged(folder: string): Promise<string | undefined> {
  const path = join(folder, checksumsFile);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  let sums: Record<string, number>;
  try {
    sums = JSON.parse(text) as Record<string, number>;
  } catch {
    return path;
  }
  for (const [name, sum] of Object.entries(sums)) {
    const file = join(folder, name);
    if ((await checksumOf(file).catch(() => undefined)) !== sum) return file;
  }
  return undefined;
}

async function checksumOf(path: string): Promise<number> {
  let sum = 0;
  const pieces: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 2 ** 20 });
  for await (const piece of pieces) sum = crc32(piece, sum);
  return sum;
}
