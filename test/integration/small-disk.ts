/** A small file system in memory, for tests of full and read-only disks. Only root can mount one. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { messageOf } from '@drover/base';

export interface SmallDisk extends Disposable {
  readonly dir: string;
  makeReadOnly(): void;
}

/** Mounts one of the size (such as `8m`) for its owner alone; undefined, with the test skipped, where none can be mounted. */
export async function mountSmallDisk(t: TestContext, size: string): Promise<SmallDisk | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-disk-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`no file system can be mounted here: ${messageOf(error)}`);
    return undefined;
  }
  return {
    dir,
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', dir]),
    [Symbol.dispose]: () => void execFileSync('umount', [dir]),
  };
}
