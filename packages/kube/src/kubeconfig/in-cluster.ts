/**
 * The connection of a pod: its service account's mount and the environment that the kubelet sets.
 */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { unavailable } from '@drover/base';
import type { Connection } from '../connection.ts';
import { tokenFile } from './token-file.ts';

const mount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How this pod reaches its kube-apiserver, and its namespace. Throws ServiceUnavailable saying what a pod would have. */
export async function inClusterConnection(
  options: { readonly dir?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ readonly connection: Connection; readonly namespace: string }> {
  const { dir = mount, env = process.env } = options;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) {
    throw unavailable('not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  }
  const token = tokenFile(join(dir, 'token'));
  await token();
  const read = (name: string) =>
    readFile(join(dir, name), 'utf8').catch(cause => {
      throw unavailable(`can't read ${join(dir, name)} of the pod's service account`, { cause });
    });
  const [ca, namespace] = await Promise.all([read('ca.crt'), read('namespace')]);
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { connection: { server, ca, token }, namespace: namespace.trim() };
}
