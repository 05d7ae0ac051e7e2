/** The stub read back by a parser of its own, field by field, as the ABI defines them. */
import { describe, expect, it } from 'vitest';
import { type StubArchitecture, stubLibrary } from './elf-stub.js';

const stub = {
  soname: 'libvulkan.so.1',
  needed: 'libvk_swiftshader.so',
  runPath: '/opt/a folder/ü/linux-x64',
};

function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u64 = (offset: number) => Number(view.getBigUint64(offset, true));
  const headers = Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = u64(32) + index * view.getUint16(54, true);
    return {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: u64(at + 8),
      address: u64(at + 16),
      size: u64(at + 32),
      alignment: u64(at + 48),
    };
  });
  const dynamic = headers.find(({ type }) => type === 2)!;
  const entries = new Map<number, number>();
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16)
    entries.set(u64(at), u64(at + 8));
  const string = (offset: number) => {
    const start = entries.get(5)! + offset;
    return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString('utf8');
  };
  return { view, headers, entries, string };
}

describe('stubLibrary', () => {
  it.each<[StubArchitecture, number]>([
    ['x64', 62],
    ['arm64', 183],
  ])('is a 64-bit little-endian shared library for %s', (architecture, machine) => {
    const bytes = stubLibrary({ ...stub, architecture });
    const { view } = parse(bytes);
    expect([...bytes.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    expect(view.getUint16(16, true)).toBe(3);
    expect(view.getUint16(18, true)).toBe(machine);
  });

  it('names itself, what it needs and where that is', () => {
    const { entries, string } = parse(stubLibrary({ ...stub, architecture: 'x64' }));
    expect(string(entries.get(14)!)).toBe(stub.soname);
    expect(string(entries.get(1)!)).toBe(stub.needed);
    expect(string(entries.get(29)!)).toBe(stub.runPath);
    expect(entries.get(0)).toBe(0);
  });

  it('has one writable segment of the whole file, and no executable stack', () => {
    const bytes = stubLibrary({ ...stub, architecture: 'arm64' });
    const { headers, entries } = parse(bytes);
    const load = headers.filter(({ type }) => type === 1);
    expect(load).toEqual([
      { type: 1, flags: 6, offset: 0, address: 0, size: bytes.length, alignment: 0x10000 },
    ]);
    expect(headers.find(({ type }) => type === 0x6474e551)?.flags).toBe(6);
    // The string table ends inside the file, with a zero.
    expect(entries.get(5)! + entries.get(10)!).toBe(bytes.length);
    expect(bytes.at(-1)).toBe(0);
  });
});
