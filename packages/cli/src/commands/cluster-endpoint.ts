/** clusters endpoint: lets people reach a cluster's own kube-apiserver with a token of this server, and says what its nodes need for it. */
import { readFile } from 'node:fs/promises';
import { findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';

export interface EndpointFlags extends GlobalFlags {
  readonly fqdn?: string;
  readonly caFile?: string;
}

export async function enableEndpoint(wanted: string, flags: EndpointFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  const caCerts = flags.caFile === undefined ? undefined : await readFile(flags.caFile, 'utf8');
  const endpoint = {
    enabled: true,
    ...(flags.fqdn === undefined ? {} : { fqdn: flags.fqdn }),
    ...(caCerts === undefined ? {} : { caCerts }),
  };
  await context.client.update(cluster, { localClusterAuthEndpoint: endpoint });
  process.stderr.write(`${say('endpointOn', { name: cluster.name ?? cluster.id })}\n`);
}

export async function disableEndpoint(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  await context.client.update(cluster, { localClusterAuthEndpoint: { enabled: false } });
  process.stderr.write(`${say('endpointOff', { name: cluster.name ?? cluster.id })}\n`);
}

/** The file that each kube-apiserver reads. It asks on its own loopback, where kube-api-auth listens. */
export function printWebhook(): void {
  process.stdout.write(`# /etc/kubernetes/kube-api-authn-webhook.yaml on each control-plane node; its kube-apiserver is started with
#   --authentication-token-webhook-config-file=/etc/kubernetes/kube-api-authn-webhook.yaml
#   --authentication-token-webhook-cache-ttl=10s
apiVersion: v1
kind: Config
clusters:
- name: Default
  cluster:
    server: http://127.0.0.1:6440/v1/authenticate
users:
- name: Default
  user: {}
contexts:
- name: webhook
  context:
    user: Default
    cluster: Default
current-context: webhook
`);
}
