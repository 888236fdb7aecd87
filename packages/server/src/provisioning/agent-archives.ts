/**
 * The agent as this server gives it to hosts: the archives that `./drover image build agent` wrote, one for each platform. A host gets
 * their layers, which are all it takes (Node and its libraries are in them), and its containerd the whole.
 */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { invalid, messageOf } from '@drover/base';

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export interface AgentArchive {
  readonly arch: Architecture;
  readonly path: string;
  /** Of the whole image: another one has another. */
  readonly id: string;
  /** As containers name it, `drover/agent:0.1.0`. */
  readonly image: string;
  /** SHA-256, in the order in which they lie upon each other. */
  readonly layers: readonly string[];
  /** A layer as it is, gzipped; undefined for what is none. */
  layer(sha256: string): { readonly bytes: number; stream(): Readable } | undefined;
}

interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** Those that lie in the directory; none where nobody put any there. Read anew when they are built anew. */
export class AgentArchives {
  readonly #dir: string;
  readonly #kept = new Map<Architecture, { readonly madeMs: number; readonly archive: AgentArchive }>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Throws Invalid for a file that is no archive. */
  get(arch: Architecture): AgentArchive | undefined {
    const path = join(this.#dir, `drover-agent-${arch}.tar`);
    const madeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (madeMs === undefined) return undefined;
    const kept = this.#kept.get(arch);
    if (kept?.madeMs === madeMs) return kept.archive;
    let archive: AgentArchive;
    try {
      archive = readArchive(arch, path);
    } catch (error) {
      throw invalid('--agent-images', `${path} can't be read: ${messageOf(error)}`);
    }
    this.#kept.set(arch, { madeMs, archive });
    return archive;
  }

  all(): AgentArchive[] {
    return architectures.map(arch => this.get(arch)).filter(archive => archive !== undefined);
  }
}

function readArchive(arch: Architecture, path: string): AgentArchive {
  const places = readPlaces(path);
  const text = readText(path, places, 'manifest.json');
  const [{ Config = '', Layers = [], RepoTags = [] } = {}] = JSON.parse(text) as {
    Config?: string;
    Layers?: string[];
    RepoTags?: string[];
  }[];
  const hex = (name: string) => name.slice(name.lastIndexOf('/') + 1);
  const layers = Layers.map(hex);
  if (layers.length === 0 || !layers.every(layer => /^[0-9a-f]{64}$/.test(layer)))
    throw new Error('it names no layers');
  return {
    arch,
    path,
    id: hex(Config).slice(0, 12),
    image: RepoTags[0] ?? '',
    layers,
    layer(sha256) {
      const place = layers.includes(sha256) ? places.get(`blobs/sha256/${sha256}`) : undefined;
      if (!place) return undefined;
      const { at, bytes } = place;
      return { bytes, stream: () => createReadStream(path, { start: at, end: at + bytes - 1 }) };
    },
  };
}

const block = 512;

/** Where each file of a tar lies (POSIX.1-2001 ustar; the archives have no long names). Only its heads are read. */
function readPlaces(path: string): Map<string, Place> {
  const file = openSync(path, 'r');
  try {
    const places = new Map<string, Place>();
    const head = Buffer.alloc(block);
    for (let at = 0; ; ) {
      const read = readSync(file, head, 0, block, at);
      const name = head.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      if (read < block || name === '') return places;
      const bytes = Number.parseInt(head.toString('latin1', 124, 136), 8);
      if (!Number.isSafeInteger(bytes)) throw new Error('it is no tar');
      places.set(name, { at: at + block, bytes });
      at += block + Math.ceil(bytes / block) * block;
    }
  } finally {
    closeSync(file);
  }
}

function readText(path: string, places: ReadonlyMap<string, Place>, name: string): string {
  const place = places.get(name);
  if (!place || place.bytes > 1 << 20) throw new Error(`it has no ${name}`);
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(place.bytes);
    readSync(file, bytes, 0, place.bytes, place.at);
    return bytes.toString('utf8');
  } finally {
    closeSync(file);
  }
}
