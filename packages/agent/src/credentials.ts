/**
 * The server and the registration token, from flags or from the mounted Secret. A mounted Secret is read again before
 * each connection, since the kubelet replaces its files in place when the token is rotated.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, messageOf, Secret, unavailable } from '@drover/base';
import { type AgentConfig, parseServerUrl } from './config.ts';

export interface Credentials {
  /** Origin of the server's URL. */
  readonly server: string;
  readonly token: Secret;
}

/** Throws ServiceUnavailable or Invalid naming the file that is missing or no good. */
export async function readCredentials(config: AgentConfig): Promise<Credentials> {
  if (config.server && config.token) return { server: config.server, token: config.token };
  const read = async (name: string): Promise<string> => {
    const path = join(config.credentialsDir, name);
    try {
      return (await readFile(path, 'utf8')).trim();
    } catch (cause) {
      throw unavailable(
        `can't read ${path}: ${messageOf(cause)}; give --server and --token, or mount the credentials`,
        {
          cause,
        },
      );
    }
  };
  const [url, token] = await Promise.all([read('url'), read('token')]);
  if (!/^[\x21-\x7e]{8,256}$/.test(token)) throw invalid(join(config.credentialsDir, 'token'), 'is no token');
  return { server: parseServerUrl(join(config.credentialsDir, 'url'), url), token: new Secret(token) };
}
