/** Certificates that a person brings in a folder, `NAME.pem` and `NAME-key.pem` each, and requests for those that he has signed elsewhere. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, Secret } from '@drover/base';
import { readFileIfThere } from '@drover/kube';
import type { ClusterSpec } from '../config/spec.ts';
import { type CertPair, makeKey, requestCert } from './certificate.ts';
import { renewalReason } from './check.ts';
import { authorities, type Certificates, serviceAccountKey, wantedCertificates } from './cluster-certs.ts';

/**
 * All that are there. Those that are not are issued, where the key of their authority is. Throws Invalid with everything that is
 * missing or wrong.
 */
export async function readCustomCertificates(spec: ClusterSpec, dir: string): Promise<Certificates> {
  const found: Record<string, CertPair> = {};
  const problems: string[] = [];
  for (const name of authorities) {
    const pair = await readPair(dir, name);
    if (!pair) problems.push(`${name}.pem is missing`);
    // What signs kubelets' requests in the cluster has to have it.
    else if (name === 'kube-ca' && pair.key.reveal() === '') problems.push(`${name}-key.pem is missing`);
    else found[name] = pair;
  }
  const signing = await readFileIfThere(join(dir, `${serviceAccountKey}-key.pem`));
  if (signing !== undefined) found[serviceAccountKey] = { cert: '', key: new Secret(signing) };
  for (const [name, { by, ...request }] of Object.entries(wantedCertificates(spec))) {
    const pair = await readPair(dir, name);
    const ca = found[by];
    if (!ca) continue;
    if (!pair) {
      if (ca.key.reveal() === '') problems.push(`${name}.pem is missing, and there is no ${by}-key.pem to sign it`);
      continue;
    }
    const reason = renewalReason(pair.cert, pair.key, { ca: ca.cert, request });
    if (reason === undefined) found[name] = pair;
    else problems.push(`${name}.pem: ${reason}`);
  }
  if (problems.length > 0) throw invalid('--cert-dir', `${dir} is no whole set:\n${problems.join('\n')}`);
  return found;
}

async function readPair(dir: string, name: string): Promise<CertPair | undefined> {
  const cert = await readFileIfThere(join(dir, `${name}.pem`));
  if (cert === undefined) return undefined;
  return { cert, key: new Secret((await readFileIfThere(join(dir, `${name}-key.pem`))) ?? '') };
}

/** Writes a request for each certificate of the cluster, with its key where there is none yet; gives their names. */
export async function writeRequests(spec: ClusterSpec, dir: string): Promise<string[]> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const wanted = Object.entries(wantedCertificates(spec));
  for (const [name, { by: _, ...request }] of wanted) {
    const path = join(dir, `${name}-key.pem`);
    const kept = await readFileIfThere(path);
    const key = kept === undefined ? makeKey() : new Secret(kept);
    if (kept === undefined) await writeFile(path, key.reveal(), { mode: 0o600, flag: 'wx' });
    await writeFile(join(dir, `${name}-csr.pem`), await requestCert({ ...request, key }), { mode: 0o644 });
  }
  return wanted.map(([name]) => name);
}
