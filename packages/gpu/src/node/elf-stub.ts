/**
 * Makes an empty ELF64 shared library that does nothing but name another one that it needs.
 *
 * Loaded globally under the name `libvulkan.so.1`, it makes Dawn find a Vulkan driver on a system
 * that has no Vulkan loader. Not a linker: no code, no symbols, no relocations.
 */

/** ELF's numbers for the machines that Node calls `x64` and `arm64`. */
const machines = { x64: 62, arm64: 183 } as const;

export type StubArchitecture = keyof typeof machines;

export interface StubLibrary {
  readonly architecture: StubArchitecture;
  /** The name under which the dynamic linker knows it. */
  readonly soname: string;
  /** The library that is loaded with it. */
  readonly needed: string;
  /** The folder where `needed` lies. */
  readonly runPath: string;
}

const headerBytes = 64;
const programHeaderBytes = 56;
const dynamicEntryBytes = 16;
const symbolBytes = 24;
const segment = { load: 1, dynamic: 2, gnuStack: 0x6474e551 };
const readWrite = 6;
// Covers the 64 KiB pages that arm64 kernels may have.
const segmentAlignment = 0x10000;
const tag = {
  end: 0,
  needed: 1,
  hash: 4,
  strings: 5,
  symbols: 6,
  stringsSize: 10,
  symbolSize: 11,
  soname: 14,
  runPath: 29,
};

/** The file's bytes. The layout follows the System V ABI, chapters 4 and 5. */
export function stubLibrary({ architecture, soname, needed, runPath }: StubLibrary): Uint8Array {
  const strings = Buffer.from(`\0${soname}\0${needed}\0${runPath}\0`, 'utf8');
  const sonameOffset = 1;
  const neededOffset = sonameOffset + Buffer.byteLength(soname) + 1;
  const runPathOffset = neededOffset + Buffer.byteLength(needed) + 1;

  const dynamicOffset = headerBytes + 3 * programHeaderBytes;
  const dynamicSize = 9 * dynamicEntryBytes;
  const symbolsOffset = dynamicOffset + dynamicSize;
  const hashOffset = symbolsOffset + symbolBytes;
  const stringsOffset = hashOffset + 16;
  const totalSize = stringsOffset + strings.length;

  const bytes = new Uint8Array(totalSize);
  const view = new DataView(bytes.buffer);
  const u16 = (offset: number, value: number) => view.setUint16(offset, value, true);
  const u32 = (offset: number, value: number) => view.setUint32(offset, value, true);
  const u64 = (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true);

  // 0x7f ELF, 64 bit, little endian, version 1.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  u16(16, 3); // ET_DYN
  u16(18, machines[architecture]);
  u32(20, 1);
  u64(32, headerBytes); // program headers follow
  u16(52, headerBytes);
  u16(54, programHeaderBytes);
  u16(56, 3);
  u16(58, 64);

  const programHeader = (index: number, type: number, offset: number, size: number, alignment: number) => {
    const at = headerBytes + index * programHeaderBytes;
    u32(at, type);
    u32(at + 4, readWrite);
    u64(at + 8, offset);
    u64(at + 16, offset);
    u64(at + 24, offset);
    u64(at + 32, size);
    u64(at + 40, size);
    u64(at + 48, alignment);
  };
  // Writable, because glibc relocates the dynamic section in place.
  programHeader(0, segment.load, 0, totalSize, segmentAlignment);
  programHeader(1, segment.dynamic, dynamicOffset, dynamicSize, 8);
  // Without it glibc would ask for an executable stack.
  programHeader(2, segment.gnuStack, 0, 0, 16);

  const entries: [number, number][] = [
    [tag.soname, sonameOffset],
    [tag.needed, neededOffset],
    [tag.runPath, runPathOffset],
    [tag.strings, stringsOffset],
    [tag.stringsSize, strings.length],
    [tag.symbols, symbolsOffset],
    [tag.symbolSize, symbolBytes],
    [tag.hash, hashOffset],
    [tag.end, 0],
  ];
  entries.forEach(([key, value], index) => {
    u64(dynamicOffset + index * dynamicEntryBytes, key);
    u64(dynamicOffset + index * dynamicEntryBytes + 8, value);
  });
  // A hash table of one bucket and one entry: the null symbol.
  u32(hashOffset, 1);
  u32(hashOffset + 4, 1);
  bytes.set(strings, stringsOffset);
  return bytes;
}
