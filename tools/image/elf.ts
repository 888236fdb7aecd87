/** Reads from a 64-bit little-endian ELF file what it needs to start: its loader and its shared libraries. */
import { badRequest } from '@drover/base';

export interface Needs {
  /** Path of the dynamic loader, e.g. /lib64/ld-linux-x86-64.so.2; libraries have none. */
  readonly loader?: string;
  /** Names of shared libraries, e.g. libc.so.6. */
  readonly libraries: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Throws BadRequest when the bytes are no ELF file of a kind that Node is built for. */
export function needsOf(name: string, file: Buffer): Needs {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw badRequest(`${name} is not a 64-bit little-endian ELF file`);
  }
  const segments = readSegments(file);
  const interp = segments.find(segment => segment.type === PT_INTERP);
  const loader = interp && text(file, interp.offset);
  const dynamic = segments.find(segment => segment.type === PT_DYNAMIC);
  if (!dynamic) return { loader, libraries: [] };
  const entries = readDynamic(file, dynamic);
  const table = entries.find(entry => entry.tag === DT_STRTAB);
  if (!table) return { loader, libraries: [] };
  const strings = offsetOf(segments, table.value, name);
  const libraries = entries.filter(entry => entry.tag === DT_NEEDED).map(entry => text(file, strings + entry.value));
  return { loader, libraries };
}

function readSegments(file: Buffer): Segment[] {
  const start = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  return Array.from({ length: file.readUInt16LE(56) }, (_, n) => {
    const at = start + n * size;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      size: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function readDynamic(file: Buffer, { offset, size }: Segment): { tag: number; value: number }[] {
  return Array.from({ length: Math.floor(size / 16) }, (_, n) => ({
    tag: Number(file.readBigInt64LE(offset + n * 16)),
    value: Number(file.readBigUInt64LE(offset + n * 16 + 8)),
  }));
}

/** The dynamic section speaks of addresses in memory; the loaded segment around one tells where it is in the file. */
function offsetOf(segments: readonly Segment[], address: number, name: string): number {
  const inside = (s: Segment) => s.type === PT_LOAD && address >= s.address && address < s.address + s.size;
  const segment = segments.find(inside);
  if (!segment) throw badRequest(`${name} is damaged: its string table lies outside what is loaded`);
  return segment.offset + address - segment.address;
}

function text(file: Buffer, at: number): string {
  return file.toString('latin1', at, file.indexOf(0, at));
}
