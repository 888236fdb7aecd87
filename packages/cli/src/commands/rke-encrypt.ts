/** rke encrypt rotate-key: Secrets are written by a new key, and the old one goes. */
import { type RkeFlags, up } from './rke.ts';

export async function rotateKey(flags: RkeFlags): Promise<void> {
  await up(flags, { rotateEncryptionKey: true });
}
