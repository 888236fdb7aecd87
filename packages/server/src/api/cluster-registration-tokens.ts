/** Registration tokens in v3: the token and its commands show only to those who may change the cluster. */
import type { ClusterRegistrationToken, V3Data } from '@drover/api';
import { describeRegistrationToken, tokenSecretName } from '../clusters/registration-token.ts';
import { isOnHosts } from '../provisioning/cluster-status.ts';
import { installScript, nodeCommand } from '../provisioning/node-command.ts';
import { type ApiView, behaviour } from './behaviour.ts';
import { requireReach } from './tokens.ts';

const mayUse = ({ deps, caller }: ApiView, clusterId: string) =>
  deps.auth.access.may(caller, 'update', 'cluster', { name: clusterId });

export const clusterRegistrationTokens = behaviour<ClusterRegistrationToken>({
  prepareCreate(request, input) {
    requireReach(request, String(input['clusterId']));
    return input;
  },
  show(request, data, crt) {
    const { name, namespace = '' } = crt.metadata;
    if (!mayUse(request, namespace)) return data;
    const secret = request.deps.caches.secret.get(tokenSecretName(name), namespace);
    const serverUrl = request.deps.settings.get('server-url') || request.base;
    const described = describeRegistrationToken(crt, secret, { serverUrl });
    return { ...data, ...described, ...nodeCommands(request, namespace, { serverUrl, token: described.token }) };
  },
});

/** For clusters that are made of hosts, by a server that has the agent which hosts need. */
function nodeCommands(
  { deps }: ApiView,
  clusterId: string,
  { serverUrl, token }: { readonly serverUrl: string; readonly token: string },
): V3Data {
  const cluster = deps.caches.cluster.get(clusterId);
  const archives = deps.hosts?.archives.all() ?? [];
  if (!deps.hosts || !cluster || !isOnHosts(cluster) || archives.length === 0 || token === '' || serverUrl === '')
    return {};
  const parts = {
    serverUrl: serverUrl.replace(/\/+$/, ''),
    token,
    cacerts: deps.settings.get('cacerts'),
    serverKey: deps.hosts.serverKey,
    script: installScript(archives),
  };
  return { nodeCommand: nodeCommand(parts), insecureNodeCommand: nodeCommand(parts, true) };
}
