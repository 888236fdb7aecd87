/** Opens the store: the file in the data directory, or etcd with its certificates. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, messageOf, Secret } from '@drover/base';
import { openEtcdStore, openSqliteStore, type Store } from '@drover/store';
import type { Config, StoreChoice } from './config.ts';

/** Opens one of the stores that the flags name; throws Invalid naming the flag whose file can't be read. */
export async function openStore(config: Pick<Config, 'dataDir' | 'etcdTls'>, store: StoreChoice): Promise<Store> {
  const { etcdTls } = config;
  if (store.type === 'sqlite') return openSqliteStore({ path: join(config.dataDir, 'drover.db') });
  const read = async (flag: string, path: string | undefined) => {
    if (path === undefined) return undefined;
    return readFile(path, 'utf8').catch(cause => {
      throw invalid(flag, `can't read ${path}: ${messageOf(cause)}`);
    });
  };
  const key = await read('--etcd-key', etcdTls.key);
  const tls = {
    ca: await read('--etcd-ca', etcdTls.ca),
    cert: await read('--etcd-cert', etcdTls.cert),
    key: key === undefined ? undefined : new Secret(key),
  };
  const secure = store.endpoints[0]!.startsWith('https:');
  return openEtcdStore({
    endpoints: store.endpoints,
    username: store.username,
    password: store.password,
    ...(secure ? { tls } : {}),
  });
}
