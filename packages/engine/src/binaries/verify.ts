/**
 * Whether binaries are there, run on this machine and belong together: a kube-apiserver for another CPU or of another
 * version than its controller-manager is found out here, not by a cluster that doesn't come up.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, unavailable } from '@drover/base';
import type { BinaryName } from './names.ts';

const run = promisify(execFile);

/** The version of all Kubernetes binaries among `names`, or of etcd where there is none. Throws ServiceUnavailable saying which does not do. */
export async function verifyBinaries(dir: string, names: readonly BinaryName[], signal?: AbortSignal): Promise<string> {
  const versions = await Promise.all(names.map(async name => [name, await versionOf(dir, name, signal)] as const));
  const kubernetes = versions.filter(([name]) => name.startsWith('kube'));
  const [first] = kubernetes;
  for (const [name, version] of kubernetes) {
    if (version !== first![1]) throw unavailable(`${join(dir, name)} is ${version}, but ${first![0]} is ${first![1]}`);
  }
  return first?.[1] ?? versions[0]?.[1] ?? '';
}

async function versionOf(dir: string, name: BinaryName, signal: AbortSignal | undefined): Promise<string> {
  const path = join(dir, name);
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw unavailable(`${path} is ${absent ? 'not there' : 'not executable'}`);
  }
  // These take no flags: that they are there is all that can be asked.
  if (name === 'pause' || name.startsWith('cni/')) return '';
  const args = name === 'kubectl' ? ['version', '--client'] : ['--version'];
  try {
    const { stdout } = await run(path, args, { signal, timeout: 20_000 });
    const version = /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
    if (version !== undefined) return `v${version}`;
    throw new Error(`it names no version: ${stdout.slice(0, 100)}`);
  } catch (error) {
    signal?.throwIfAborted();
    throw unavailable(`${path} does not run here: ${messageOf(error).split('\n')[0]}`, { cause: error });
  }
}
