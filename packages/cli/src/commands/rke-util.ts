/** rke util, rke version: what is kept beside the config is got again, and what runs is asked. */
import { existsSync } from 'node:fs';
import { invalid, messageOf, unavailable } from '@drover/base';
import { parseState, readState, readStateCopy, withTrusted, writeAdminKubeconfig, writeState } from '@drover/engine';
import { KubeClient } from '@drover/kube';
import { say } from '../messages.ts';
import { connectTo, filesOf, type RkeFlags, readConfig } from './rke.ts';

/** From a control plane, which keeps a copy for root. */
export async function getStateFile(flags: RkeFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  if (existsSync(files.state) && !flags.force) throw invalid('--force', say('rkeStateThere', { path: files.state }));
  const hostKeys: Record<string, string> = {};
  const text = await readStateCopy(spec, { connect: node => connectTo(node, { spec, hostKeys, flags }) });
  await writeState(files.state, spec, parseState(text, spec, files.state));
  process.stdout.write(`${files.state}\n`);
}

/** Made anew from the state. */
export async function getKubeconfig(flags: RkeFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  await writeAdminKubeconfig(files.kubeconfig, spec, withTrusted(await requireState(flags)));
  process.stdout.write(`${files.kubeconfig}\n`);
}

/** Of the first API server that answers. */
export async function version(flags: RkeFlags): Promise<void> {
  const { spec } = await readConfig(filesOf(flags), flags);
  const certificates = withTrusted(await requireState(flags));
  const { cert, key } = certificates['kube-admin']!;
  const ca = certificates['kube-ca']!.cert;
  const failures: string[] = [];
  for (const { address, roles } of spec.nodes) {
    if (!roles.includes('controlplane')) continue;
    const server = `https://${address}:6443`;
    await using client = new KubeClient({ server, ca, clientCert: cert, clientKey: key }, { timeoutMs: 10_000 });
    try {
      process.stdout.write(`Server version: ${(await client.version()).gitVersion}\n`);
      return;
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw unavailable(failures.join('\n'));
}

async function requireState(flags: RkeFlags) {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const state = await readState(files.state, spec);
  if (!state) throw invalid('--config', say('rkeNoStateYet', { path: files.state }));
  return state;
}
