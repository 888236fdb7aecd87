/**
 * A file of lines that is set aside when it is large and forgotten when it is old. It takes whole batches or nothing, so that
 * a full disk leaves no half line; one that somebody else moved away is opened anew.
 */
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setAsidePath, setAsides } from './set-aside.ts';

export interface RotatingFileOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** Files set aside are removed after so long, in ms; 0 keeps them whatever their age. */
  readonly maxAgeMs: number;
  /** How many set aside are kept; 0 keeps them all. */
  readonly maxBackups: number;
  readonly now?: () => number;
}

const lookEveryMs = 10 * 60_000;

interface Opened {
  readonly handle: FileHandle;
  readonly ino: number;
  size: number;
}

export class RotatingFile implements AsyncDisposable {
  readonly #options: RotatingFileOptions;
  #file: Opened | undefined;
  #lookedMs = 0;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Adds the lines; throws, with none of them added, where they find no place. */
  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.join(''));
    let file = await this.#current();
    if (file.size > 0 && file.size + bytes.length > this.#options.maxBytes) {
      await this.#setAside();
      file = await this.#current();
    }
    try {
      for (let at = 0; at < bytes.length; )
        at += (await file.handle.write(bytes, at, bytes.length - at, file.size + at)).bytesWritten;
    } catch (error) {
      await file.handle.truncate(file.size);
      throw error;
    }
    file.size += bytes.length;
    await this.#forgetOld();
  }

  async #current(): Promise<Opened> {
    const { path } = this.#options;
    const there = await stat(path).catch(() => undefined);
    if (this.#file && there?.ino === this.#file.ino) return this.#file;
    await this.#close();
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, 'a', 0o600);
    const { ino, size } = await handle.stat();
    this.#file = { handle, ino, size };
    this.#lookedMs = 0;
    return this.#file;
  }

  /** Under a name with its time, which sorts by age. */
  async #setAside(): Promise<void> {
    await this.#close();
    const { path, now = Date.now } = this.#options;
    await rename(path, await setAsidePath(path, now()));
  }

  async #forgetOld(): Promise<void> {
    const { path, maxAgeMs, maxBackups, now = Date.now } = this.#options;
    if (Math.abs(now() - this.#lookedMs) < lookEveryMs) return;
    this.#lookedMs = now();
    for (const [i, { path: aside, atMs }] of (await setAsides(path)).entries()) {
      const tooMany = maxBackups > 0 && i >= maxBackups;
      const tooOld = maxAgeMs > 0 && now() - atMs > maxAgeMs;
      if (tooMany || tooOld) await rm(aside, { force: true });
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    await file.handle.sync();
    await file.handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
