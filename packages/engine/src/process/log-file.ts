/**
 * Output of child processes in files that don't grow without end. The child writes to the descriptor itself, so that its
 * last words are there even when we are not; a file that is too large when (re)opened, or when asked, is copied to .1 and cut.
 */
import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdir, open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

const maxBytes = 10 * 1024 * 1024;

export interface LogFile extends Disposable {
  readonly path: string;
  readonly fd: number;
}

/** Opens for appending: a write after a cut goes to the new beginning, as O_APPEND has it. */
export async function openLogFile(path: string): Promise<LogFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'a', 0o600);
  return { path, fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Keeps the file at most at 10 MiB and one older part beside it. */
export async function rotateLogFile(path: string, limit = maxBytes): Promise<void> {
  const { size } = await stat(path);
  if (size <= limit) return;
  await copyFile(path, `${path}.1`);
  await truncate(path);
}

/** The file's last lines, at most `bytes` long: what a process said before it ended. */
export async function lastLines(path: string, lines: number, bytes = 8192): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, start);
    return buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .split('\n')
      .filter(line => line !== '')
      .slice(-lines);
  } finally {
    await file.close();
  }
}
