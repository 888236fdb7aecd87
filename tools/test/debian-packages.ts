/**
 * Installs what the integration and e2e suites need from Debian: only where there is apt and the user is root, and only
 * what is missing. Services that the packages bring are kept from starting.
 */
import { execFile } from 'node:child_process';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ignoreMissing } from '../files.ts';

const run = promisify(execFile);
const policy = '/usr/sbin/policy-rc.d';

/** The packages named in the lists below `root` that dpkg does not have installed; undefined where there is no dpkg. */
export async function missingPackages(root: string, lists: readonly string[]): Promise<string[] | undefined> {
  const names = new Set<string>();
  for (const list of lists) {
    const text = await ignoreMissing(readFile(join(root, list), 'utf8'));
    for (const line of (text ?? '').split('\n')) {
      const name = line.replace(/#.*/, '').trim();
      if (name) names.add(name);
    }
  }
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
    const { stdout } = await run('dpkg-query', ['-W', '-f', '${db:Status-Abbrev} ${binary:Package}\n']);
    for (const line of stdout.split('\n')) {
      const [status, name] = line.split(/\s+/);
      if (status === 'ii' && name) names.delete(name.replace(/:.*/, ''));
    }
    return [...names].sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Installs `packages` without a question and without a service being started. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) => run('apt-get', ['-q', '-y', ...args], { env, maxBuffer: 64 * 1024 * 1024 });
  await using _quiet = await withoutServices();
  await apt('update');
  await apt('install', '--no-install-recommends', ...packages);
}

/** invoke-rc.d asks policy-rc.d before it starts anything; 101 forbids it. The former script comes back at the end. */
async function withoutServices(): Promise<AsyncDisposable> {
  const kept = `${policy}.before-drover`;
  const had = (await ignoreMissing(rename(policy, kept).then(() => true))) ?? false;
  await writeFile(policy, '#!/bin/sh\nexit 101\n');
  await chmod(policy, 0o755);
  return {
    async [Symbol.asyncDispose]() {
      if (had) await rename(kept, policy);
      else await rm(policy, { force: true });
    },
  };
}
