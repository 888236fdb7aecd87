/** Registration tokens in v3: the token and its commands show only to those who may change the cluster. */
import type { ClusterRegistrationToken } from '@drover/api';
import { describeRegistrationToken, tokenSecretName } from '../clusters/registration-token.ts';
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
    return { ...data, ...describeRegistrationToken(crt, secret, { serverUrl }) };
  },
});
