/**
 * What a cluster's authorized endpoint has to know: the tokens that are good for that cluster alone, and whose they are. Only
 * hashes leave the server, and only of the kind that can't be turned back.
 */
import type { Token, User, UserAttribute } from '@drover/api';
import type { Resource } from '@drover/base';
import { groupsOf } from '../auth/caller.ts';
import { endpointPart, marksOf } from './ours.ts';

export const endpointNamespace = 'cattle-system';

/** The server's own token, by which it sees whether the cluster asks; its user has no rights at all. */
export const probeName = 'drover-endpoint-probe';

export interface AuthTokenRecord extends Resource {
  readonly userName: string;
  readonly enabled: boolean;
  readonly expiresAt: string;
  readonly lastUsedAt?: string;
}

export interface UserRecord extends Resource {
  readonly enabled: boolean;
  readonly groups: readonly string[];
  readonly lastRefresh: string;
  readonly needsRefresh: boolean;
}

export interface HashRecord extends Resource {
  readonly data: Readonly<Record<string, string>>;
}

export interface EndpointRecords {
  readonly tokens: readonly AuthTokenRecord[];
  readonly hashes: readonly HashRecord[];
  readonly users: readonly UserRecord[];
}

export interface EndpointFacts {
  /** Those of this cluster. */
  readonly tokens: readonly Token[];
  user(id: string): User | undefined;
  attribute(userId: string): UserAttribute | undefined;
  readonly probeHash: string;
  readonly installUuid: string;
}

export function planEndpoint({ tokens, user, attribute, probeHash, installUuid }: EndpointFacts): EndpointRecords {
  const labels = { ...marksOf(installUuid), ...endpointPart };
  const metadata = (name: string) => ({ name, namespace: endpointNamespace, labels });
  const record = (name: string, given: { userName: string; enabled: boolean; expiresAt: string }): AuthTokenRecord => ({
    apiVersion: 'cluster.cattle.io/v3',
    kind: 'ClusterAuthToken',
    metadata: metadata(name),
    ...given,
  });
  const hash = (name: string, text: string): HashRecord => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(name),
    data: { hash: Buffer.from(text).toString('base64') },
  });
  const userRecord = (name: string, enabled: boolean, groups: readonly string[]): UserRecord => ({
    apiVersion: 'cluster.cattle.io/v3',
    kind: 'ClusterUserAttribute',
    metadata: metadata(name),
    enabled,
    groups,
    lastRefresh: attribute(name)?.lastRefresh ?? '',
    needsRefresh: false,
  });

  const good = tokens
    .filter(token => token.token?.startsWith('$3:') && token.userId && user(token.userId))
    .filter(token => token.metadata.deletionTimestamp === undefined)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const owners = [...new Set(good.map(token => token.userId!))].sort();
  const groups = (id: string) =>
    [...new Set(good.filter(token => token.userId === id).flatMap(token => groupsOf(attribute(id), token)))]
      .filter(group => !group.startsWith('system:'))
      .sort();
  return {
    tokens: [
      record(probeName, { userName: probeName, enabled: true, expiresAt: '' }),
      ...good.map(token =>
        record(token.metadata.name, {
          userName: token.userId!,
          enabled: token.enabled !== false,
          expiresAt: token.expiresAt ?? '',
        }),
      ),
    ],
    hashes: [hash(probeName, probeHash), ...good.map(token => hash(token.metadata.name, token.token!))],
    users: [
      userRecord(probeName, true, []),
      ...owners.map(id => userRecord(id, user(id)!.enabled !== false, groups(id))),
    ],
  };
}
