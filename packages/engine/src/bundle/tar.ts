/**
 * A bundle as one file, to be carried where no network goes: its list first, so that whoever unpacks it holds every file to its checksum
 * while it is read. What is not in the list, or not as the list says, ends it; nothing of it is kept then.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalid, messageOf, StatusError } from '@drover/base';
import { extract, pack } from 'tar-stream';
import { holdLock } from '../process/lock.ts';
import type { BundleManifest } from './bundle.ts';
import { parseManifest } from './manifest.ts';

const listName = 'bundle.json';
const mostListBytes = 4 * 1024 * 1024;

/** Writes the bundle in `dir` to `file`; the same bundle gives the same bytes. */
export async function writeBundleTar(dir: string, file: string, signal?: AbortSignal): Promise<void> {
  const list = await readFile(join(dir, listName));
  const { files } = parseManifest(list.toString(), join(dir, listName));
  const part = `${file}.part`;
  await mkdir(dirname(part), { recursive: true });
  const tar = pack();
  const writing = pipeline(tar, createWriteStream(part), { signal });
  // Rejects below as well; without this its rejection would be nobody's while a file is read.
  writing.catch(() => {});
  const mtime = new Date(0);
  try {
    tar.entry({ name: listName, mode: 0o644, mtime }, list);
    for (const { path, bytes, executable } of files) {
      const entry = tar.entry({ name: path, size: bytes, mode: executable ? 0o755 : 0o644, mtime });
      await pipeline(createReadStream(join(dir, path)), entry, { signal });
    }
    tar.finalize();
    await writing;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await rename(part, file);
}

/** Unpacks `file` to a folder of `into` that is named by the bundle's id, and gives that; one that is there already is taken. */
export async function unpackBundle(file: string, into: string): Promise<string> {
  await mkdir(into, { recursive: true });
  await using _ = await holdLock(join(into, '.lock'));
  const making = join(into, '.making');
  await rm(making, { recursive: true, force: true });
  try {
    return await unpackInto(making, { file, into });
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw invalid('bundle', `${file} can't be unpacked: ${messageOf(error)}`);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

async function unpackInto(making: string, { file, into }: { file: string; into: string }): Promise<string> {
  const entries = extract();
  const reading = pipeline(createReadStream(file), entries);
  reading.catch(() => {});
  let manifest: BundleManifest | undefined;
  const left = new Map<string, BundleManifest['files'][number]>();
  for await (const entry of entries) {
    const { name, size = 0, type } = entry.header;
    if (!manifest) {
      if (name !== listName || size > mostListBytes) throw invalid('bundle', `${file} does not begin with ${listName}`);
      const text = Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>)).toString();
      manifest = parseManifest(text, `${listName} in ${file}`);
      const ready = join(into, manifest.id.slice(0, 24));
      // Renamed to it as a whole once: what is there is all there.
      if (existsSync(ready)) return ready;
      for (const one of manifest.files) left.set(one.path, one);
      await mkdir(making, { recursive: true });
      await writeFile(join(making, listName), text);
      continue;
    }
    const wanted = left.get(name);
    if (!wanted || type !== 'file' || size !== wanted.bytes)
      throw invalid('bundle', `${file} has ${name} of ${size} bytes, which its list has not`);
    left.delete(name);
    const path = join(making, name);
    await mkdir(dirname(path), { recursive: true });
    const sum = await store(entry as AsyncIterable<Buffer>, path, wanted.executable);
    if (sum !== wanted.sha256) throw invalid('bundle', `${name} in ${file} is not what its list says: it was damaged`);
  }
  await reading;
  if (!manifest) throw invalid('bundle', `${file} is empty`);
  const [missing] = left.keys();
  if (missing !== undefined) throw invalid('bundle', `${file} ends before ${missing}`);
  const ready = join(into, manifest.id.slice(0, 24));
  await rename(making, ready);
  return ready;
}

/** Its SHA-256. */
async function store(entry: AsyncIterable<Buffer>, path: string, executable: boolean): Promise<string> {
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk, _, done) {
      hash.update(chunk as Buffer);
      done(null, chunk);
    },
  });
  await pipeline(entry, tap, createWriteStream(path, { mode: executable ? 0o755 : 0o644 }));
  return hash.digest('hex');
}
