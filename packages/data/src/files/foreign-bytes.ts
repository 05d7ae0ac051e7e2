/** Recognises a file that is not the text it is read as, by its name and first bytes, and says what to do about it. */
import { DataError } from '../errors.js';

const packers = /\.(zst|bz2|xz|lz4|lzma|zip|7z)$/;

/** @throws DataError `INPUT_FILE` for a file that is packed otherwise than with gzip, by its name */
export function refusePacked(file: string): void {
  const ending = packers.exec(file)?.[1];
  if (ending === undefined) return;
  throw new DataError(
    'INPUT_FILE',
    `${file}: files packed as .${ending} are not read; unpack it, or pack it with gzip (.gz)`,
  );
}

const kinds: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'this is a gzip file; give it a name that ends in .gz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'this is a zstd file; unpack it (zstd -d), or pack it with gzip'],
  [[0x42, 0x5a, 0x68], 'this is a bzip2 file; unpack it (bzip2 -d), or pack it with gzip'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'this is an xz file; unpack it (xz -d), or pack it with gzip'],
  [[0x50, 0x4b, 0x03, 0x04], 'this is a zip file; unpack it'],
  [[0x50, 0x41, 0x52, 0x31], 'this is a Parquet file; give it a name that ends in .parquet'],
  [[0xff, 0xfe], 'this is UTF-16; convert it (iconv -f UTF-16 -t UTF-8)'],
  [[0xfe, 0xff], 'this is UTF-16; convert it (iconv -f UTF-16 -t UTF-8)'],
];

/** How many bytes are enough to recognise any kind. */
export const telling = 5;

/** What a file that is not UTF-8 is, by its first {@link telling} bytes, and what to do. */
export function notText(first: Uint8Array): string {
  const kind = kinds.find(([bytes]) => bytes.every((byte, at) => first[at] === byte));
  return kind?.[1] ?? 'not UTF-8; convert the file to UTF-8';
}

/** What is wrong with lines as old Macs ended them, and what to do. */
export const carriageReturns = "its lines end in CR alone; convert them (tr '\\r' '\\n')";

/** Why a line may fail to be JSON because of what editors do not show; empty if nothing of the kind is found. */
export function hiddenFault(text: string): string {
  if (text.includes('\0')) {
    return '; it holds NUL bytes: the file is UTF-16, or its writing was cut off; convert it to UTF-8 or get it again';
  }
  return /\r./su.test(text) ? `; ${carriageReturns}` : '';
}

/** A text with its control characters as escapes, so that a message stays one line. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
