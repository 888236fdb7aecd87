/**
 * `drover up --copy-to`: everything from the store that is used into another one, for a server that grows from one machine's file to
 * etcd, or comes back. Nothing serves meanwhile; what was copied is used by naming it with --store.
 */
import { hasReason, invalid } from '@drover/base';
import { checkKeyring, copyStore, openKeyring } from '@drover/store';
import type { Config } from './config.ts';
import { openDataDir } from './data-dir.ts';
import { openStore } from './open-store.ts';

/** Throws Invalid where the target holds anything, or the keys of `--secrets-key-file` are not those of the secrets; Conflict where a server still writes. */
export async function copyTo(config: Config, say: (line: string) => void): Promise<void> {
  const { store, copyTo: target } = config;
  if (!target || JSON.stringify(target) === JSON.stringify(store))
    throw invalid('--copy-to', 'must be another store than --store');
  await openDataDir(config.dataDir);
  await using from = await openStore(config, store);
  // A copy that nobody has the keys for would be found out when it is too late.
  await checkKeyring(from, openKeyring(config.secretsKeyFile));
  await using to = await openStore(config, target);
  let told = 0;
  const copied = await copyStore(from, to, progress => {
    if (progress.copied - told < 10_000) return;
    told = progress.copied;
    say(`copied ${progress.copied} of ${progress.total} …`);
  }).catch(error => {
    if (hasReason(error, 'Invalid')) throw invalid('--copy-to', 'the store is not empty; name one that holds nothing');
    throw error;
  });
  say(
    `copied ${copied} entries; start the server with --store ${target.type === 'sqlite' ? 'sqlite' : 'etcd://…'} from now on`,
  );
}
