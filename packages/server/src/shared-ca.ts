/**
 * The server's own CA, shared over the store by the replicas on it: an agent that trusts one of them trusts all. The first
 * replica's CA is taken; the key is kept encrypted like every other secret.
 */
import { join } from 'node:path';
import { ensureCa } from '@drover/engine';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import type { FieldCipher, Store } from '@drover/store';
import { firstValue } from './first-value.ts';

const place = { key: '/server/ca', field: 'key' };

/** Leaves in `dir` the CA that all replicas use, as ca.crt and ca.key; one that was there and is another is replaced. */
export async function shareCa(store: Store, cipher: FieldCipher, dir: string): Promise<void> {
  const value = await firstValue(store, place.key, async () => {
    const own = await ensureCa(dir, 'ca', 'drover-ca');
    return JSON.stringify({ cert: own.cert, key: cipher.encrypt(own.key.reveal(), place) });
  });
  const { cert, key } = JSON.parse(value) as { readonly cert: string; readonly key: string };
  const plain = cipher.decrypt(key, place);
  if ((await readFileIfThere(join(dir, 'ca.key'))) === plain) return;
  // The certificate last: one without its key is refused at the next start, a key without one is completed.
  await writeFileAtomic(join(dir, 'ca.key'), plain);
  await writeFileAtomic(join(dir, 'ca.crt'), cert, 0o644);
}
