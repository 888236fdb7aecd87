/**
 * Files of a container: listed, taken from it by the browser's own download, and sent to it piece by piece, so that a break costs no
 * more than a piece.
 */
import { ask, RequestError } from '../net/request.ts';

export interface FilePlace {
  readonly clusterId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface FileEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  readonly modified: number;
}

export interface Folder {
  readonly path: string;
  readonly entries: readonly FileEntry[];
  readonly complete: boolean;
}

const pieceBytes = 8 << 20;
const mostTries = 12;
const waitMs = 2000;

export function filesPath(place: FilePlace, path: string, more: Readonly<Record<string, string>> = {}): string {
  return `/v1-files?${new URLSearchParams({ ...place, path, ...more })}`;
}

export const joinPath = (folder: string, name: string): string => `${folder.replace(/\/$/, '')}/${name}`;

export const readFolder = (place: FilePlace, path: string, signal: AbortSignal): Promise<Folder> =>
  ask<Folder>(filesPath(place, path, { list: 'true' }), { signal });

export interface Upload {
  readonly place: FilePlace;
  readonly path: string;
  readonly file: File;
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number) => void;
}

/** What may pass: a network that is away, a server or cluster that is. */
const mayPass = (error: unknown): boolean =>
  error instanceof RequestError && (error.status === 0 || error.status >= 500);

/** Sends a file; after a break it asks what has arrived and goes on from there. */
export async function sendFile({ place, path, file, signal, onProgress }: Upload): Promise<void> {
  let offset = 0;
  let failures = 0;
  let isDone = false;
  while (!isDone) {
    const end = Math.min(file.size, offset + pieceBytes);
    const query = { offset: String(offset), ...(end === file.size ? { last: 'true' } : {}) };
    try {
      const { size } = await ask<{ size: number }>(filesPath(place, path, query), {
        method: 'PUT',
        blob: file.slice(offset, end),
        contentType: 'application/octet-stream',
        signal,
      });
      isDone = size === end && end === file.size;
      // Another number is what has arrived already: from there it goes on.
      failures = size === end ? 0 : failures + 1;
      offset = size > file.size ? 0 : size;
      onProgress(offset);
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      failures++;
      if (failures > mostTries) throw error;
      await new Promise(resolve => setTimeout(resolve, waitMs));
    }
    if (failures > mostTries) throw new RequestError(409, { code: 'Conflict', message: path });
  }
}
