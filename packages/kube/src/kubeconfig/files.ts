/**
 * Kubeconfig files on disk: found as kubectl finds them (KUBECONFIG, else ~/.kube/config), and changed under kubectl's
 * own lock file, whole or not at all, readable by their owner only.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { badRequest, conflict, invalid, sleep } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '../files.ts';
import { type Kubeconfig, mergeKubeconfigs, parseKubeconfig } from './kubeconfig.ts';

export interface KubeconfigPlace {
  /** One file, instead of what KUBECONFIG says; then it has to be there. */
  readonly path?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** The files that are read, in order of precedence. */
export function kubeconfigPaths({ path, env = process.env }: KubeconfigPlace = {}): string[] {
  if (path) return [path];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(one => one !== '');
  if (listed.length > 0) return [...new Set(listed)];
  return [join(env['HOME'] || homedir(), '.kube', 'config')];
}

/** The file that new entries go to: the first there is, else the last in the list, as kubectl chooses. */
export function kubeconfigTarget(place: KubeconfigPlace = {}): string {
  const paths = kubeconfigPaths(place);
  return paths.find(path => existsSync(path)) ?? paths.at(-1)!;
}

/** Reads and merges the kubeconfig files; ones of the list that are not there are passed over. */
export async function loadKubeconfig(place: KubeconfigPlace = {}): Promise<Kubeconfig> {
  const read = await Promise.all(
    kubeconfigPaths(place).map(async path => {
      const text = await readText(path);
      if (text === undefined && place.path) throw invalid('kubeconfig', `there is no file ${path}`);
      return text === undefined ? undefined : parseKubeconfig(text, path);
    }),
  );
  return mergeKubeconfigs(read.filter(config => config !== undefined));
}

/** Replaces the file in one step with mode 0600; where it is a link, what it points to. */
export async function writeKubeconfig(path: string, text: string): Promise<void> {
  try {
    await writeFileAtomic(path, text);
  } catch (error) {
    throw badRequest(`can't write ${path}`, error);
  }
}

/** Runs `change` while nobody else who keeps to kubectl's lock file changes the file; `undefined` stands for no file. */
export async function changeKubeconfig(
  path: string,
  change: (text: string | undefined) => string | Promise<string>,
): Promise<void> {
  const lock = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await takeLock(lock);
  try {
    await writeKubeconfig(path, await change(await readText(path)));
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw badRequest(`can't write ${lock}`, error);
      if (tries >= 60) {
        throw conflict('file', lock, 'somebody else changes the kubeconfig; if nobody does, remove this file');
      }
      await sleep(50);
    }
  }
}

function readText(path: string): Promise<string | undefined> {
  return readFileIfThere(path).catch(error => {
    throw badRequest(`can't read the kubeconfig ${path}`, error);
  });
}
