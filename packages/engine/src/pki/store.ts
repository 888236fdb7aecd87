/**
 * Certificates in a directory as NAME.crt and NAME.key: made when missing, issued again for the same key when one no longer
 * does. The key is written first, so that whatever a crash leaves can be completed.
 */
import { join } from 'node:path';
import { internal, Secret } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { type CertPair, type CertRequest, issueCert, makeCa, makeKey, publicKeyOf } from './certificate.ts';
import { renewalReason } from './check.ts';

/** The CA `name` of this directory. Throws where its certificate is there but its key is gone: all that trust it would break. */
export async function ensureCa(dir: string, name: string, commonName: string): Promise<CertPair> {
  const { cert, key } = await readPair(dir, name);
  if (cert !== undefined && key === undefined) {
    throw internal(
      `${join(dir, `${name}.key`)} is missing but ${name}.crt is there: put the key back, or remove ${name}.crt to start with a new CA`,
    );
  }
  if (cert !== undefined && key !== undefined) {
    const reason = renewalReason(cert, key, {});
    if (reason === undefined) return { cert, key };
    // Near its end the CA is made again for the same key and name: what it issued stays valid under the new one.
    if (!reason.startsWith('it ends')) throw internal(`${join(dir, `${name}.crt`)} can't be used: ${reason}`);
  }
  return await writePair(dir, name, await makeCa(commonName, { key }));
}

/** The certificate `name` of this directory as requested, valid for a good while yet; issued or renewed where needed. */
export async function ensureCert(
  dir: string,
  name: string,
  options: { ca: CertPair; request: CertRequest },
): Promise<CertPair> {
  const { ca, request } = options;
  const { cert, key } = await readPair(dir, name);
  if (cert !== undefined && key !== undefined) {
    const reason = renewalReason(cert, key, { ca: ca.cert, request });
    if (reason === undefined) return { cert, key };
  }
  return await writePair(dir, name, await issueCert(ca, { ...request, key: usable(key) ? key : undefined }));
}

/** A bare key pair (service-account signing) as NAME.key and NAME.pub. */
export async function ensureKeyPair(dir: string, name: string): Promise<{ key: Secret; publicKey: string }> {
  const { key: kept } = await readPair(dir, name);
  const key = kept ?? makeKey();
  const publicKey = publicKeyOf(key);
  if (kept === undefined) await writeFileAtomic(join(dir, `${name}.key`), key.reveal());
  if ((await readFileIfThere(join(dir, `${name}.pub`))) !== publicKey) {
    await writeFileAtomic(join(dir, `${name}.pub`), publicKey, 0o644);
  }
  return { key, publicKey };
}

async function readPair(dir: string, name: string): Promise<{ cert: string | undefined; key: Secret | undefined }> {
  const [cert, key] = await Promise.all([
    readFileIfThere(join(dir, `${name}.crt`)),
    readFileIfThere(join(dir, `${name}.key`)),
  ]);
  return { cert, key: key === undefined ? undefined : new Secret(key) };
}

async function writePair(dir: string, name: string, pair: CertPair): Promise<CertPair> {
  await writeFileAtomic(join(dir, `${name}.key`), pair.key.reveal());
  await writeFileAtomic(join(dir, `${name}.crt`), pair.cert, 0o644);
  return pair;
}

function usable(key: Secret | undefined): boolean {
  if (key === undefined) return false;
  try {
    publicKeyOf(key);
    return true;
  } catch {
    return false;
  }
}
