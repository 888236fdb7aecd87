/**
 * Downloads one file whose checksum is known beforehand. What a cut left is gone on with; nothing is put in its place
 * before all of it matches.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { anySignal, internal, messageOf, unavailable } from '@drover/base';

export interface FetchFileOptions {
  /** `sha256:…` or `sha512:…`. */
  readonly checksum: string;
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number, total: number | undefined) => void;
  /** A server that says nothing for so long is given up. */
  readonly silenceMs?: number;
}

/** Fetches `url` to `path`. Throws ServiceUnavailable when it can't be had, InternalError when it is not what was pinned. */
export async function fetchFile(url: string, path: string, options: FetchFileOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  await receive(url, partial, options);
  const [algorithm = '', wanted = ''] = options.checksum.split(':');
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(partial)) hash.update(chunk as Buffer);
  const got = hash.digest('hex');
  if (got !== wanted) {
    await rm(partial, { force: true });
    throw internal(`${url}: its ${algorithm} is ${got}, but ${wanted} is pinned; it was not kept`);
  }
  await rename(partial, path);
}

async function receive(url: string, partial: string, options: FetchFileOptions): Promise<void> {
  const { silenceMs = 30_000, onBytes } = options;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(unavailable(`${url}: silent for ${silenceMs} ms`)), silenceMs);
  let have = await sizeOf(partial);
  try {
    const response = await fetch(url, {
      headers: have > 0 ? { range: `bytes=${have}-` } : {},
      signal: anySignal(options.signal, silence.signal),
    });
    // 416: nothing after what is here; the checksum will tell whether that is all of it.
    if (response.status === 416) return;
    if (!response.ok || !response.body) throw unavailable(`${url} answered ${response.status}`);
    if (response.status !== 206) have = 0;
    const length = Number(response.headers.get('content-length'));
    const total = length > 0 ? have + length : undefined;
    const file = await open(partial, have > 0 ? 'a' : 'w');
    try {
      for await (const chunk of response.body) {
        timer.refresh();
        await file.write(chunk);
        have += chunk.length;
        onBytes?.(have, total);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (silence.signal.aborted) throw silence.signal.reason;
    throw unavailable(`${basename(new URL(url).pathname)} can't be downloaded: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
