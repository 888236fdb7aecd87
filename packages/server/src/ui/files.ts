/**
 * The files of the web UI as they were built: one file of the checkout or of the image, held in memory. Whatever a path says, only what
 * stands in that file can be answered: no path is ever given to the file system.
 */
import { readFileSync, statSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { builtUi } from '@drover/web';

export interface UiFile {
  readonly type: string;
  readonly brotli: Buffer;
  readonly plain: () => Buffer;
}

interface Built {
  readonly madeMs: number;
  readonly files: ReadonlyMap<string, UiFile>;
}

/** The files under one address, read again when they were built anew; undefined where they were never built. */
export function openUiFiles(from: URL = builtUi): () => ReadonlyMap<string, UiFile> | undefined {
  let built: Built | undefined;
  return () => {
    const madeMs = statSync(from, { throwIfNoEntry: false })?.mtimeMs;
    if (madeMs === undefined) return undefined;
    if (built?.madeMs !== madeMs) built = { madeMs, files: read(from) };
    return built.files;
  };
}

function read(from: URL): Map<string, UiFile> {
  const { files } = JSON.parse(readFileSync(from, 'utf8')) as {
    files: Record<string, { type: string; body: string }>;
  };
  return new Map(
    Object.entries(files).map(([name, { type, body }]) => {
      const brotli = Buffer.from(body, 'base64');
      let text: Buffer | undefined;
      return [name, { type, brotli, plain: () => (text ??= brotliDecompressSync(brotli)) }];
    }),
  );
}
